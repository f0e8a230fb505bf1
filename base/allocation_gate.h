// Lets a test refuse memory to the runtime: the pools of messages, coroutine
// frames and actors ask the gate of the calling thread, where there is one,
// before they give memory out. They do so where they have none in their caches;
// who sets a gate also lets them keep none (EnvelopePool::KeepNothing()), so
// that it is asked each time. Without a gate nothing is asked, and costs
// nothing.
//
// Thread safety: each thread has a gate of its own.
#ifndef TROUPE_BASE_ALLOCATION_GATE_H_
#define TROUPE_BASE_ALLOCATION_GATE_H_

namespace troupe::internal {

class AllocationGate {
 public:
  // Whether there is memory. Must not allocate what the pools give.
  virtual bool Admits() = 0;
  // Whether it is asked, too, about what the runtime must have
  // (base/must_have_memory.h).
  virtual bool IsForAll() const { return false; }

 protected:
  ~AllocationGate() = default;
};

// The calling thread's; mostly null.
extern constinit thread_local AllocationGate* allocation_gate;

// Lifts the calling thread's gate meanwhile, if it is not for all.
class GateForMusts {
 public:
  GateForMusts() : gate_(allocation_gate) {
    if (gate_ != nullptr && !gate_->IsForAll()) allocation_gate = nullptr;
  }
  ~GateForMusts() { allocation_gate = gate_; }
  GateForMusts(const GateForMusts&) = delete;
  GateForMusts& operator=(const GateForMusts&) = delete;

 private:
  AllocationGate* const gate_;
};

// Throws std::bad_alloc if the gate says so.
void PassAllocationGate();

}  // namespace troupe::internal

#endif  // TROUPE_BASE_ALLOCATION_GATE_H_
