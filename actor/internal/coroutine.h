// How coroutines run: what all their promises have in common, and the loop that
// resumes them.
//
// The stack. Symmetric transfer, the language's own means against a stack that
// grows with each co_await, is a tail call only where the compiler makes it
// one: g++ 12 does in a plain -O2 build and not at -O0, -O1 or under a
// sanitizer. So nothing here transfers. A coroutine that ends hands over who
// waits for it and returns to RunCoroutine(), which resumes that one.
//
// Going down there is a shortcut: an awaited child is started from within its
// parent's suspension (Start()), and if it ends at once the parent goes on
// without having left its frame. That nests, by the depth of the calls and not
// by the number of turns of a loop; from kMaxNesting on, the child is handed
// over, too, and the stack is unwound. So the bound is kMaxNesting frames for
// each RunCoroutine(), whatever the coroutines do. It saves 2 ns of the 12 that
// a co_await costs whose child ends at once, and 2 of 16 if the child waits.
//
// Going up again there is none: a child that was suspended in between has lost
// the stack that its parent started it on.
//
// Ownership: a frame belongs to an OwnedCoroutine, or to who was given its
// handle; nothing else here owns.
// Thread safety: a coroutine, and all that it waits for, runs on one thread at
// a time; between two runs it may change the thread.
#ifndef TROUPE_ACTOR_INTERNAL_COROUTINE_H_
#define TROUPE_ACTOR_INTERNAL_COROUTINE_H_

#include <coroutine>
#include <cstdint>
#include <utility>

#include "troupe/actor/internal/frame_memory.h"
#include "troupe/base/check.h"

namespace troupe::internal {

// Resumes `handle`, and then whatever that made ready on this thread (see
// HandOver()), until nothing is. May be called from within a coroutine: the
// inner call runs what is handed over in it, the outer one goes on with its own
// afterwards. Outside the seat.
inline void RunCoroutine(std::coroutine_handle<> handle) noexcept;

// Queues a suspended coroutine for the innermost RunCoroutine() of this thread,
// first in, first out. Allocates nothing. One whose frame is destroyed in the
// queue leaves it.
//
// REQUIRES: the promise derives from Coroutine; the coroutine is in no queue.
void HandOver(std::coroutine_handle<> handle) noexcept;

class Coroutine;
class Join;
class OwnedCoroutine;

// A place in a queue.
struct QueueLink {
  QueueLink* next = nullptr;  // Null: in no queue. The last one has an end.
};

// One RunCoroutine(). The outermost one of a thread, which mostly is the only
// one, lies ready; others are made when they begin.
class CoroutineRun {
 public:
  // How many coroutines may be started within each other. Each takes about 100
  // bytes of stack besides what its body uses; up to 1,200 without optimization
  // or under a sanitizer.
  static constexpr int kMaxNesting = 32;

  constexpr CoroutineRun() = default;
  CoroutineRun(const CoroutineRun&) = delete;
  CoroutineRun& operator=(const CoroutineRun&) = delete;

  // The innermost one of this thread, or null.
  static CoroutineRun* current();

  void Push(Coroutine& coroutine);
  // Null: the queue is empty.
  Coroutine* Pop();

  // Takes one out of the queue, of whichever of this thread's runs, that it is
  // in. Takes as long as there are others before it.
  static void Remove(Coroutine& coroutine);

 private:
  friend class Coroutine;
  friend void RunCoroutine(std::coroutine_handle<> handle) noexcept;

  void Run(std::coroutine_handle<> handle);
  // What is in the queue of the innermost one.
  static void RunQueued();
  // The same, of a run of its own.
  static void RunWithin(std::coroutine_handle<> handle);

  struct OfThread;
  // Without a destructor, and no wrapper function around it.
  static constinit thread_local OfThread of_thread_;
  static constinit QueueLink end_;  // Of all queues.

  CoroutineRun* outer_ = nullptr;
  QueueLink* first_ = nullptr;
  QueueLink* last_ = nullptr;  // Meaningless if the queue is empty.
  // The coroutine that is being started from within another's suspension; null
  // as soon as it has ended.
  Coroutine* started_ = nullptr;
  int nesting_ = 0;
};

// The base of all promises.
class Coroutine : public FrameMemory, public QueueLink {
 public:
  Coroutine() = default;
  Coroutine(const Coroutine&) = delete;
  Coroutine& operator=(const Coroutine&) = delete;

  // Of a coroutine whose promise derives from this class.
  static Coroutine& Of(std::coroutine_handle<> handle) {
    return std::coroutine_handle<Coroutine>::from_address(handle.address())
        .promise();
  }
  std::coroutine_handle<> handle() {
    return std::coroutine_handle<Coroutine>::from_promise(*this);
  }

  // From this coroutine's await_suspend(): starts `child`, and goes on when it
  // has ended. False: it has already, this coroutine need not be suspended.
  // True: the frame that `child` lies in may be gone.
  [[nodiscard]] bool Await(OwnedCoroutine& child);
  // From the await_resume() for `child`, before its result is taken.
  static void GoOn(OwnedCoroutine& child);

  // Starts a coroutine that `join` waits for. True: it has ended; `join` was
  // not told of it.
  [[nodiscard]] bool StartFor(Join& join);

  // From the final suspension.
  void End() noexcept;

 protected:
  ~Coroutine() {
    if (next != nullptr) [[unlikely]] {
      CoroutineRun::Remove(*this);
    }
  }

 private:
  friend class OwnedCoroutine;

  // Marks a waiter that is a Join.
  static constexpr uintptr_t kJoin = 1;

  // True: it has ended.
  bool Start();
  void EndLater() noexcept;

  // Who goes on when this one has ended: a Coroutine, a Join, or nobody.
  uintptr_t waiter_ = 0;
  // What this one waits for, if it is a coroutine: in this one's frame.
  OwnedCoroutine* awaited_ = nullptr;
};

// Owns a frame that is not running.
class OwnedCoroutine {
 public:
  OwnedCoroutine() = default;
  explicit OwnedCoroutine(Coroutine& coroutine) : coroutine_(&coroutine) {}
  OwnedCoroutine(OwnedCoroutine&& other) noexcept
      : coroutine_(other.Release()) {}
  OwnedCoroutine& operator=(OwnedCoroutine&& other) noexcept {
    OwnedCoroutine taken(std::move(other));
    std::swap(coroutine_, taken.coroutine_);
    return *this;
  }
  // Destroys the frame, wherever it is suspended, after those that it waits
  // for. The deepest goes first, one after the other: so a long chain needs no
  // stack.
  ~OwnedCoroutine() {
    if (coroutine_ != nullptr) Destroy();
  }

  Coroutine* get() const { return coroutine_; }
  Coroutine* Release() { return std::exchange(coroutine_, nullptr); }

 private:
  void Destroy() noexcept;
  static void DestroyAwaited(Coroutine& waiter) noexcept;

  Coroutine* coroutine_ = nullptr;
};

// The runs of a thread.
struct CoroutineRun::OfThread {
  CoroutineRun* current = nullptr;
  CoroutineRun outermost;
};

inline CoroutineRun* CoroutineRun::current() { return of_thread_.current; }

inline void CoroutineRun::Push(Coroutine& coroutine) {
  TROUPE_DCHECK(coroutine.next == nullptr, "a coroutine is handed over once");
  coroutine.next = &end_;
  (first_ == nullptr ? first_ : last_->next) = &coroutine;
  last_ = &coroutine;
}

inline Coroutine* CoroutineRun::Pop() {
  if (first_ == nullptr) return nullptr;
  auto* const popped = static_cast<Coroutine*>(first_);
  QueueLink* const next = std::exchange(popped->next, nullptr);
  first_ = next == &end_ ? nullptr : next;
  return popped;
}

inline void CoroutineRun::Run(std::coroutine_handle<> handle) {
  handle.resume();
  if (first_ != nullptr) [[unlikely]]
    RunQueued();
}

inline void RunCoroutine(std::coroutine_handle<> handle) noexcept {
  CoroutineRun::OfThread& runs = CoroutineRun::of_thread_;
  if (runs.current != nullptr) [[unlikely]] {
    return CoroutineRun::RunWithin(handle);
  }
  runs.current = &runs.outermost;
  runs.outermost.Run(handle);
  runs.current = nullptr;
}

inline void HandOver(std::coroutine_handle<> handle) noexcept {
  TROUPE_DCHECK(CoroutineRun::current() != nullptr,
                "coroutines run in RunCoroutine()");
  CoroutineRun::current()->Push(Coroutine::Of(handle));
}

inline bool Coroutine::Start() {
  CoroutineRun* const run = CoroutineRun::current();
  TROUPE_DCHECK(run != nullptr, "coroutines run in RunCoroutine()");
  if (run->nesting_ == CoroutineRun::kMaxNesting) [[unlikely]] {
    run->Push(*this);
    return false;
  }
  // From here on only `run` is touched, which lies on this stack: the child may
  // be resumed, end, and have its waiter destroyed before resume() returns.
  Coroutine* const outer = std::exchange(run->started_, this);
  ++run->nesting_;
  handle().resume();
  --run->nesting_;
  return std::exchange(run->started_, outer) == nullptr;
}

inline bool Coroutine::Await(OwnedCoroutine& child) {
  awaited_ = &child;
  child.get()->waiter_ = reinterpret_cast<uintptr_t>(this);
  return !child.get()->Start();
}

inline void Coroutine::GoOn(OwnedCoroutine& child) {
  reinterpret_cast<Coroutine*>(child.get()->waiter_)->awaited_ = nullptr;
}

inline void Coroutine::End() noexcept {
  CoroutineRun* const run = CoroutineRun::current();
  if (run->started_ == this) {
    run->started_ = nullptr;
  } else if (waiter_ != 0) {
    EndLater();
  }
}

}  // namespace troupe::internal

#endif  // TROUPE_ACTOR_INTERNAL_COROUTINE_H_
