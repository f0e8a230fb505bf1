// What a Probe has received, whatever its messages are, and the wait for more.
//
// Thread safety: any thread; one at a time waits.
#ifndef TROUPE_TESTING_INTERNAL_PROBE_INBOX_H_
#define TROUPE_TESTING_INTERNAL_PROBE_INBOX_H_

#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "troupe/base/clock.h"
#include "troupe/mailbox/message_type.h"
#include "troupe/scheduler/event.h"
#include "troupe/scheduler/executor.h"

namespace troupe::testing::internal {

class ProbeInbox {
 public:
  // `executor` outlives every call but the destructor.
  ProbeInbox(std::string name, Executor& executor);

  // Takes in `message`, a Received<M> for the M of `type`.
  void Push(const MessageType& type, std::shared_ptr<void> message)
      ABSL_LOCKS_EXCLUDED(mu_);

  // Waits for a message to be there: until `deadline`, or for as long as the
  // system plays. Returns the type of the first one, or null.
  // REQUIRES: not in a handler.
  const MessageType* Await(MonotonicTime deadline) ABSL_LOCKS_EXCLUDED(mu_);
  // Whether the first one came later than that. REQUIRES: Await() has found it.
  bool FirstCameAfter(MonotonicTime time) const ABSL_LOCKS_EXCLUDED(mu_);
  // Takes out the first one. REQUIRES: Await() has found it.
  std::shared_ptr<void> Take() ABSL_LOCKS_EXCLUDED(mu_);

  MonotonicTime Now() const { return executor_.clock().Now(); }

  // Why what was expected (a type's name, or words) is not what is there. Names
  // what came, what had come before, and when. Not OK: kFailedPrecondition if
  // something is there, otherwise kDeadlineExceeded.
  absl::Status WhyNot(std::string_view expected, absl::Duration within,
                      bool has_ended) const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  struct Item {
    const MessageType* type;
    MonotonicTime at;
    std::shared_ptr<void> message;  // Null in taken_.
  };
  // So many of the items on each side are named in errors.
  static constexpr size_t kNamed = 8;

  // Such as "Pong at 3ms".
  std::string Describe(const Item& item) const;

  const std::string name_;
  Executor& executor_;
  const MonotonicTime born_;
  mutable absl::Mutex mu_;
  std::deque<Item> items_ ABSL_GUARDED_BY(mu_);
  std::deque<Item> taken_ ABSL_GUARDED_BY(mu_);   // The last kNamed.
  Event* waiter_ ABSL_GUARDED_BY(mu_) = nullptr;  // To be set by Push().
};

}  // namespace troupe::testing::internal

#endif  // TROUPE_TESTING_INTERNAL_PROBE_INBOX_H_
