// A child whose PreStart is a coroutine, spawned as if it were not.
#include "troupe/actor/actor.h"
#include "troupe/actor/task.h"

struct Go {};

class Slow : public troupe::Actor<Go> {
 public:
  troupe::Task<void> PreStart() { co_return; }
  void Handle(Go) {}
};

class Parent : public troupe::Actor<Go> {
 public:
  void Handle(Go) { (void)Spawn<Slow>(); }
};
