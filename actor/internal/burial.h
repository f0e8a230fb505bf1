// What came too late for the actor that it was meant for, and is to be
// destroyed where user code may run. That may tell others: a request that is
// destroyed fails its call, a link that of its end. So what is buried here is
// destroyed as soon as the worker comes to it, in a turn of its own if need be.
//
// Thread safety: belongs to its worker; in the seat.
#ifndef TROUPE_ACTOR_INTERNAL_BURIAL_H_
#define TROUPE_ACTOR_INTERNAL_BURIAL_H_

#include <string>
#include <utility>

#include "troupe/mailbox/envelope.h"
#include "troupe/scheduler/runnable.h"
#include "troupe/scheduler/worker.h"

namespace troupe::internal {

class SystemCore;

// Its wake token stays with the worker: nobody else can reach it.
class Burial final : public Runnable {
 public:
  explicit Burial(SystemCore& system) : system_(system) { type = &kType; }
  Burial(const Burial&) = delete;
  Burial& operator=(const Burial&) = delete;

  // `worker` is the one that this belongs to.
  void Add(Envelope* envelope, Worker& worker) {
    envelope->next = first_;
    first_ = envelope;
    if (!IsScheduled()) ScheduleOn(worker);
  }
  // A chain, the caller's to destroy.
  Envelope* Take() { return std::exchange(first_, nullptr); }

 private:
  void ScheduleOn(Worker& worker);
  static bool Run(Runnable& runnable, Worker& worker);
  static bool IsWanted(Runnable& runnable, Worker& worker);
  static bool StaysHere(Runnable& runnable, Worker& worker);
  static std::string Name(const Runnable& runnable);
  static const RunnableType kType;

  SystemCore& system_;
  Envelope* first_ = nullptr;
};

}  // namespace troupe::internal

#endif  // TROUPE_ACTOR_INTERNAL_BURIAL_H_
