// Invariant "one life" (§4-7, §11-14): of each actor the hooks run in their
// order and at most once, no code of it runs beside another or after its end,
// its object goes with the last of its children gone, and it ends if it was
// told to, or if its parent has.
#ifndef TROUPE_TESTING_SWARM_LIVES_H_
#define TROUPE_TESTING_SWARM_LIVES_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "troupe/actor/actor_id.h"
#include "troupe/actor/actor_status.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/testing/swarm/journal.h"

namespace troupe {
class Worker;
}  // namespace troupe

namespace troupe::swarm {

// 0 is nobody, and whoever is outside.
using Number = uint32_t;

class Lives {
 public:
  static constexpr std::string_view kName = "one life";
  static constexpr std::string_view kAlone = "one handler at a time";
  static constexpr std::string_view kPinned = "pinned actors keep their thread";

  explicit Lives(Journal& journal) : journal_(journal), lives_(1) {}

  // One that is to be spawned. `is_supervised`: by a supervisor, whose affair
  // its end is, too.
  Number Conceive(Number parent, bool is_supervised);
  // An address of supervised actors: it runs no code of ours.
  Number ConceiveDoor();
  // Its reference is known; may be said several times.
  void Register(Number number, const AnyActorRef& ref);
  // 0: none of ours.
  Number NumberOf(ActorId id) const {
    const auto found = numbers_.find(id.value());
    return found != numbers_.end() ? found->second : 0;
  }

  // Its spawn has failed, and it may outlive its parent: until its own children
  // have ended (§6).
  void SpawnFailed(Number number);

  // Before it is spawned: all code of it runs on one thread, which is no other
  // actor's unless they share `shared`, if that is not 0.
  void Pinned(Number number, uint32_t shared);

  // -- by the actor
  void Constructed(Number number);
  void Destroyed(Number number);
  void PreStarts(Number number);
  void StartFails(Number number) { lives_[number].start_failed = true; }
  void PostStarts(Number number);
  void PostStops(Number number);
  // It throws, or returns what is not OK, or calls Fail().
  void Fails(Number number);
  // A handler or hook runs, up to its end or its next suspension.
  void Enter(Number number);
  void Leave(Number number) { lives_[number].inside = false; }
  // One that is a coroutine begins or is over. Unless the actor interleaves,
  // nothing else runs meanwhile.
  void TaskBegins(Number number, bool alone);
  void TaskEnds(Number number, bool alone);

  // -- by whoever does so
  void AskedToEnd(Number by, Number number);
  // Who waited for its end was told so.
  void SaidToHaveEnded(Number number);

  // -- events
  void Started(ActorId id);
  void Ended(ActorId id, const ExitReason& reason);

  // -- what is known
  size_t count() const { return lives_.size() - 1; }
  bool has_ended(Number number) const { return lives_[number].ended; }
  // Its object is gone, or there never was one.
  bool has_no_object(Number number) const {
    return lives_[number].destroyed || !lives_[number].constructed;
  }
  // It runs its PostStop.
  bool is_stopping(Number number) const { return lives_[number].post_stopped; }
  // Since when; meaningless for one that has not ended.
  int64_t ended_at_ns(Number number) const {
    return lives_[number].ended_at_ns;
  }
  ExitReason::Kind end_kind(Number number) const {
    return lives_[number].end_kind;
  }
  const AnyActorRef& ref(Number number) const { return lives_[number].ref; }
  // For whoever started it: its PostStart may be still to come.
  bool has_started(Number number) const {
    return lives_[number].pre_started && !lives_[number].start_failed;
  }
  bool is_alive(Number number) const {
    const Life& life = lives_[number];
    return life.post_started && !life.ended;
  }
  bool is_supervised(Number number) const {
    return lives_[number].is_supervised;
  }
  bool is_door(Number number) const { return lives_[number].is_door; }
  uint64_t objects() const { return objects_; }
  uint64_t tasks() const { return tasks_; }

  // Some actor's status goes forward only. `chance`: any number.
  void LookAtSome(uint64_t chance);
  void CheckAtRest();
  void CheckAtEnd();

 private:
  struct Life {
    AnyActorRef ref = {};
    Number parent = 0;
    uint32_t child_objects = 0;
    uint32_t tasks_alone = 0;
    int64_t ended_at_ns = 0;
    const Worker* worker = nullptr;  // Of one that is pinned.
    uint32_t shares = 0;             // A pinned thread; 0: none.
    ActorStatus status = ActorStatus::kStarting;
    ExitReason::Kind end_kind = ExitReason::Kind::kNormal;
    bool is_supervised = false;
    bool is_door = false;
    bool is_pinned = false;
    bool constructed = false;
    bool pre_started = false;
    bool start_failed = false;
    bool post_started = false;
    bool started = false;
    bool asked = false;
    bool failed = false;
    bool post_stopped = false;
    bool destroyed = false;
    bool ended = false;
    bool inside = false;
  };

  void Check(bool holds, Number number, std::string_view rule) {
    if (!holds) [[unlikely]]
      Break(kName, number, rule);
  }
  // Code of it runs.
  void CheckThread(Number number);
  void Break(std::string_view invariant, Number number, std::string_view rule);

  Journal& journal_;
  std::vector<Life> lives_;
  absl::flat_hash_map<uint64_t, Number> numbers_;
  std::vector<const Worker*> shared_;  // Threads, by their numbers; 0: none.
  uint64_t objects_ = 0;
  uint64_t tasks_ = 0;
};

}  // namespace troupe::swarm

#endif  // TROUPE_TESTING_SWARM_LIVES_H_
