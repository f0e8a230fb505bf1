// The actors of all nodes, and their ends.
//
// Invariants:
//   an end that is asked for comes   if the session with the node lasts
//   nobody ends unasked              but with those to whom they are bound
//   no other actor is reached        what is sent to an actor reaches no other
//                                    one, and no other incarnation of its node
#ifndef TROUPE_TESTING_SWARM_CLUSTER_LIVES_H_
#define TROUPE_TESTING_SWARM_CLUSTER_LIVES_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "troupe/actor/actor_id.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/testing/swarm/cluster/journal.h"
#include "troupe/testing/swarm/cluster/sessions.h"

namespace troupe::cluster_swarm {

inline constexpr std::string_view kReachesNoOther = "no other actor is reached";

class Lives {
 public:
  Lives(Journal& journal, Sessions& sessions)
      : journal_(journal), sessions_(sessions) {}

  Number Conceive(NodeRun run);
  // It could not be spawned.
  void Unborn(Number who);
  void Born(Number who, const AnyActorRef& ref);
  // Its object is destroyed: from now on others may hear of its end.
  void Ended(Number who);

  // One on `run` wants an end of `who`. `surely`: nobody refuses that.
  void AskedToEnd(NodeRun run, Number who, bool surely);
  // What it ends with: its parent, those to whom it is linked, and those for
  // whom it was started.
  void BornBy(Number who, Number parent) { lives_[who - 1].parent = parent; }
  void Linked(Number who) { lives_[who - 1].is_linked = true; }
  void Traps(Number who) { lives_[who - 1].traps = true; }
  void StartedFrom(Number who, NodeRun starter) {
    lives_[who - 1].starter = starter;
  }
  // Whether it may have ended even if nobody had it started: it was asked to,
  // or ended with others.
  bool HasCauseToEnd(Number who) const;
  // The run of the node that had it started; 0: nobody had.
  NodeRun starter(Number who) const { return lives_[who - 1].starter; }
  // By which it is exported; empty: it is not.
  void Named(Number who, std::string_view name) {
    lives_[who - 1].name = std::string(name);
  }
  const std::string& name(Number who) const { return lives_[who - 1].name; }

  // The actor that has that id at home; 0: none of ours.
  Number NumberOf(ActorId id) const;
  NodeRun run(Number who) const { return lives_[who - 1].run; }
  // What others hear of it counts: its node has not ended.
  bool counts(Number who) const { return sessions_.is_running(run(who)); }
  bool is_alive(Number who) const {
    const Life& life = lives_[who - 1];
    return !life.ended && sessions_.is_running(life.run);
  }
  // As it is known at home.
  const AnyActorRef& ref(Number who) const { return lives_[who - 1].ref; }
  size_t count() const { return lives_.size(); }
  // It has ended, and not with its node.
  bool has_ended(Number who) const { return lives_[who - 1].ended; }
  size_t alive(NodeRun run) const;
  // Session of the node of `one` with that of `other`, as that node knows it.
  Epoch EpochOf(Number one, Number other) const {
    return sessions_.EpochOf(run(one), run(other));
  }

  // A message for an actor with that id was lost on `run` as there is none.
  void SoughtInVain(NodeRun run, ActorId id);

  void CheckAtRest();

 private:
  struct Life {
    NodeRun run;
    AnyActorRef ref = {};
    bool ended = false;
    std::string name = {};
    NodeRun starter = 0;
    Number parent = 0;
    bool traps = false;
    bool is_linked = false;
    bool was_asked = false;
    bool has_lost = false;  // A child.
  };
  struct Wish {
    NodeRun run;
    Number who;
    Epoch epoch;
  };

  // Whether somebody may have ended it.
  bool MayEnd(Number who) const;

  Journal& journal_;
  Sessions& sessions_;
  std::vector<Life> lives_;
  absl::flat_hash_map<uint64_t, Number> numbers_;
  std::vector<Wish> wishes_;
};

}  // namespace troupe::cluster_swarm

#endif  // TROUPE_TESTING_SWARM_CLUSTER_LIVES_H_
