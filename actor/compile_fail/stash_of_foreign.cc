// A stash is for messages that its actor handles.
#include "troupe/actor/actor.h"
#include "troupe/actor/stash.h"

struct Letter {};
struct Parcel {};

class Bad : public troupe::Actor<Letter> {
 public:
  void Handle(Letter) {}

 private:
  troupe::Stash<Letter, Parcel> stash_{this, 10};
};

Bad bad;
