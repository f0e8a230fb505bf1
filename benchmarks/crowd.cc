#include "troupe/benchmarks/crowd.h"

#include "troupe/benchmarks/stage.h"

namespace troupe::benchmarks {

class Crowd::Member : public Actor<Leave> {
 public:
  void Handle(Leave) { StopSelf(); }
};

void Crowd::Handle(Gather) {
  // Once: growing would copy, and leave memory behind.
  members_.reserve(size_);
  for (int i = 0; i < kSendsPerTurn && members_.size() < size_; ++i) {
    members_.push_back(Spawn<Member>().value());
  }
  if (members_.size() < size_) {
    self().Send<Gather>();
  } else {
    gathered_(self());
  }
}

void Crowd::Handle(Disperse) {
  for (int i = 0; i < kSendsPerTurn && told_to_leave_ < size_; ++i) {
    members_[told_to_leave_++].Send<Leave>();
  }
  if (told_to_leave_ < size_) self().Send<Disperse>();
}

void Crowd::OnChild(const ChildEvent& event) {
  if (event.kind == ChildEvent::Kind::kStarted) return;
  if (++left_ < size_) return;
  members_ = {};
  told_to_leave_ = left_ = 0;
  dispersed_(self());
}

}  // namespace troupe::benchmarks
