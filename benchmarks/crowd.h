// A Crowd is an actor with many children that do nothing until they are told to
// stop.
//
//   crowd.Send<Crowd::Gather>();    // calls `gathered` when all are alive
//   crowd.Send<Crowd::Disperse>();  // and `dispersed` when all have ended
//
// Each child gets one message, and stops when it does. The calls may send the
// crowd its next message.
#ifndef TROUPE_BENCHMARKS_CROWD_H_
#define TROUPE_BENCHMARKS_CROWD_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "troupe/actor/actor.h"

namespace troupe::benchmarks {

struct CrowdGather {};
struct CrowdDisperse {};

class Crowd : public Actor<CrowdGather, CrowdDisperse> {
 public:
  using Gather = CrowdGather;
  using Disperse = CrowdDisperse;
  using Call = std::function<void(const Ref&)>;

  Crowd(int64_t size, Call gathered, Call dispersed)
      : size_(size),
        gathered_(std::move(gathered)),
        dispersed_(std::move(dispersed)) {}

  void Handle(Gather);
  void Handle(Disperse);
  void OnChild(const ChildEvent& event);

 private:
  struct Leave {};
  class Member;

  const size_t size_;
  const Call gathered_;
  const Call dispersed_;
  std::vector<ActorRef<Leave>> members_;
  size_t told_to_leave_ = 0;
  size_t left_ = 0;
};

}  // namespace troupe::benchmarks

#endif  // TROUPE_BENCHMARKS_CROWD_H_
