// A message is moved into a stash.
#include "absl/status/status.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/stash.h"

struct Letter {};

class Bad : public troupe::Actor<Letter> {
 public:
  absl::Status Handle(Letter m) { return stash_.Put(m); }

 private:
  troupe::Stash<Letter> stash_{this, 10};
};
