// Mailboxes that pretend to be full for some steps of a simulation.
//
// Thread safety: none.
#ifndef TROUPE_TESTING_INTERNAL_FILLED_MAILBOXES_H_
#define TROUPE_TESTING_INTERNAL_FILLED_MAILBOXES_H_

#include <cstdint>
#include <vector>

#include "troupe/actor/any_actor_ref.h"

namespace troupe::testing::internal {

class FilledMailboxes {
 public:
  // Whether the actor's mailbox is full now; not if it has no bounds or is full
  // already, or if there is no such actor.
  bool Fill(const AnyActorRef& actor);
  // When the one that was filled last is to be as it was.
  void EmptyLastAt(uint64_t step) { filled_.back().until_step = step; }

  // It is this step now.
  void EmptyThoseDue(uint64_t step);

 private:
  struct Filled {
    AnyActorRef actor;
    uint64_t until_step = 0;
  };
  std::vector<Filled> filled_;
};

}  // namespace troupe::testing::internal

#endif  // TROUPE_TESTING_INTERNAL_FILLED_MAILBOXES_H_
