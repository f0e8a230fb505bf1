// A request is set aside with the duty to answer it.
#include <utility>

#include "absl/status/status.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/stash.h"

struct Order {
  using Reply = absl::Status;
};

class Bad : public troupe::Actor<Order> {
 public:
  absl::Status Handle(Order m) { return stash_.Put(std::move(m)); }

 private:
  troupe::Stash<Order> stash_{this, 10};
};
