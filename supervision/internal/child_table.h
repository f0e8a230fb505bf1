// The children of a supervisor in their order, and who waits for an answer
// about them: what supervisor_machine.h keeps, without what it decides.
//
// Costs: constant for every operation.
// Memory: Child has its size checked below. Nothing is allocated while there
// are no more children, and no more waiters, than ever before.
// Thread safety: none.
#ifndef TROUPE_SUPERVISION_INTERNAL_CHILD_TABLE_H_
#define TROUPE_SUPERVISION_INTERNAL_CHILD_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/time/time.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/base/clock.h"
#include "troupe/supervision/child_options.h"
#include "troupe/supervision/child_status.h"
#include "troupe/supervision/internal/supervisor_command.h"

namespace troupe::internal {

// What of ChildOptions matters to what the supervisor decides.
struct ChildRules {
  Restart restart = kPermanent;
  Shutdown shutdown = Shutdown().For(kWorker);  // Not the default.
  bool significant = false;
  std::optional<RestartBackoff> backoff = {};
};

// An admin operation that is to be answered when something has happened to a
// child.
struct Waiter {
  enum class For : uint8_t {
    kStart,      // When it has started, or could not.
    kTerminate,  // When it has ended.
    kRestart,    // Has to wait for its end, and then begins.
    kDelete,     // Likewise.
  };
  Ticket ticket = 0;
  For what = For::kStart;
};

struct Child {
  static constexpr uint32_t kNothing = kNoChild;

  // What a start is part of, and so what its failure means.
  enum class Origin : uint8_t {
    kRestart,  // It counts as another failure, and is tried again.
    kFirst,    // Of Start(): the supervisor ends.
    kAdded,    // Of StartChild(): the child is forgotten.
    kRevived,  // Of RestartChild(): the child stays idle.
  };

  MonotonicTime running_since;
  uint64_t rank = 0;  // Grows along the order.
  absl::Duration ShutdownLimit() const;
  int64_t shutdown_ns = 0;  // See IsBrutal() and ShutdownLimit().
  ChildKey previous = kNoChild;
  ChildKey next = kNoChild;
  uint32_t last_waiter = kNothing;
  uint32_t backoff = kNothing;
  uint32_t failures = 0;  // In a row; counted if there is a backoff.
  uint32_t restarts = 0;
  ChildStatus status = ChildStatus::kIdle;
  Restart restart = kPermanent;
  Origin origin = Origin::kRestart;
  ExitReason::Kind early_end = ExitReason::Kind::kNormal;
  bool significant : 1 = false;
  bool listed : 1 = false;       // False once kForget was decided.
  bool start_open : 1 = false;   // kStart is not answered yet.
  bool ended_early : 1 = false;  // With `early_end`, while start_open.
  bool to_stop : 1 = false;      // Its instance is to end, in its turn.
  bool wanted : 1 = false;       // ... and is to be followed by another.
  bool queued : 1 = false;       // Waits for its turn to be started.

  bool HasInstance() const {
    return status != ChildStatus::kIdle && status != ChildStatus::kWaiting;
  }
  bool IsBrutal() const { return shutdown_ns < 0; }
};
// With the 4 bytes that DeadlineHeap has for it.
static_assert(sizeof(Child) + sizeof(uint32_t) <= 64);

class ChildTable {
 public:
  Child& operator[](ChildKey key) { return children_[key]; }
  const Child& operator[](ChildKey key) const { return children_[key]; }

  // Appends a child; its key is one that was released, if there is any.
  ChildKey Add(const ChildRules& rules);
  // Takes it out of the order; its key is still its own.
  void Unlist(ChildKey key);
  // Gives its key back.
  // REQUIRES: it is not listed, and nobody waits
  void Release(ChildKey key);

  ChildKey first() const { return first_; }
  ChildKey last() const { return last_; }
  size_t size() const { return size_; }

  // Null if it has none.
  const RestartBackoff* backoff(ChildKey key) const;

  // Waiters are answered in the order in which they came.
  void AddWaiter(ChildKey key, const Waiter& waiter);
  bool HasWaiter(ChildKey key) const {
    return children_[key].last_waiter != Child::kNothing;
  }
  // REQUIRES: HasWaiter(key)
  Waiter TakeWaiter(ChildKey key);
  // How many there are, to look at each of them once.
  size_t CountWaiters(ChildKey key) const;

 private:
  struct SharedBackoff {
    RestartBackoff backoff;
    uint32_t users = 0;
  };
  struct WaiterNode {
    Waiter waiter;
    uint32_t next = Child::kNothing;  // Of the last one: the first one.
  };

  uint32_t ShareBackoff(const RestartBackoff& backoff);

  std::vector<Child> children_;
  std::vector<ChildKey> free_children_;
  ChildKey first_ = kNoChild;
  ChildKey last_ = kNoChild;
  size_t size_ = 0;
  uint64_t next_rank_ = 0;

  // Children that were added one after the other with the same backoff share
  // it: those of kDynamic all do.
  std::vector<SharedBackoff> backoffs_;
  std::vector<uint32_t> free_backoffs_;
  uint32_t latest_backoff_ = Child::kNothing;

  std::vector<WaiterNode> waiters_;
  std::vector<uint32_t> free_waiters_;
};

}  // namespace troupe::internal

#endif  // TROUPE_SUPERVISION_INTERNAL_CHILD_TABLE_H_
