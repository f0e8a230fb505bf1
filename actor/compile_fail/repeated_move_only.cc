// A message that cannot be copied cannot be repeated.
#include <memory>

#include "absl/time/time.h"
#include "troupe/actor/actor.h"

struct Parcel {
  std::unique_ptr<int> content;
};

struct Bad : troupe::Actor<Parcel> {
  void PostStart() { SendEvery<Parcel>(absl::Seconds(1)); }
  void Handle(Parcel) {}
};
