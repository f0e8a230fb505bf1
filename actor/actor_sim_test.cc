// Random trees of actors on the deterministic executor. Each actor does what a
// seed tells it: it sends, spawns, stops, kills, drains and fails, itself and
// others, on workers that hand actors over and lose their seats all the time.
// Checked all along and at rest: who runs when and in which order, and that
// nothing and nobody is lost, told twice or left behind.
#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_id.h"
#include "troupe/actor/actor_status.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/child_event.h"
#include "troupe/actor/events.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/actor/send_result.h"
#include "troupe/actor/spawn_options.h"
#include "troupe/base/log.h"
#include "troupe/base/random.h"
#include "troupe/scheduler/deterministic_executor.h"
#include "troupe/testing/seeds.h"

namespace troupe {
namespace {

constexpr int kParts = 8;  // The seeds are dealt to as many tests.
constexpr int kSeeds = 16000;
constexpr int kRepeatEvery = 100;
constexpr size_t kMaxLives = 60;
constexpr int kOutside = -1;  // The test, as a sender and as a parent.

// A message. Its number counts what its sender has sent to its receiver in the
// same lane; fuel is how many generations of messages may follow it.
struct Note {
  Note(int64_t& alive, int from, bool is_urgent, int64_t its_number,
       int its_fuel)
      : alive_notes(&alive),
        sender(from),
        urgent(is_urgent),
        number(its_number),
        fuel(its_fuel) {
    ++*alive_notes;
  }
  Note(Note&& other) noexcept
      : Note(*other.alive_notes, other.sender, other.urgent, other.number,
             other.fuel) {}
  ~Note() { --*alive_notes; }

  int64_t* alive_notes;
  int sender;
  bool urgent;
  int64_t number;
  int fuel;
};

// What is known of one actor, whether it lives or not.
struct Life {
  int parent = kOutside;
  bool parent_watches = false;
  std::optional<ActorRef<Note>> ref;  // None if its spawn failed.
  ActorStatus last_status = ActorStatus::kStarting;
  // Its spawn has failed: nobody's child, it may outlive who spawned it.
  bool refused = false;
  int constructed = 0;
  int destroyed = 0;
  bool busy = false;     // In a hook or handler.
  bool began = false;    // PreStart has succeeded.
  bool running = false;  // PostStart has ended.
  bool failed = false;   // In a hook or handler, but for PostStop.
  bool failed_in_post_stop = false;
  bool told_to_end = false;
  std::vector<ExitReason> post_stops;
  int published_starts = 0;
  std::vector<ExitReason> published_ends;
  int heard_starts = 0;  // By its parent.
  std::vector<ExitReason> heard_ends;
  std::map<std::pair<int, bool>, int64_t> next_from;  // Sender, lane.
};

class QuietLog : public LogSink {
 public:
  void Send(const LogEntry&) override {}
};

// One run: everything that its actors share.
class World {
 public:
  explicit World(uint64_t seed) : random_(seed) {
    DeterministicExecutor::Options options;
    options.seed = seed;
    options.workers = 1 + static_cast<int>(Pick(4));
    options.hand_over_probability = Pick(3) * 0.2;
    options.lost_seat_probability = Pick(3) * 0.15;
    auto executor = std::make_unique<DeterministicExecutor>(options);
    executor_ = executor.get();
    system_ =
        ActorSystem::CreateOn(std::move(executor), {.logger = Logger(&quiet_)});
    Watch();
  }

  // Plays all of it, and returns a hash of what happened.
  uint64_t Play();

  // -- for actors ------------------------------------------------------------

  uint64_t Pick(uint64_t bound) { return random_.Uniform(bound); }
  bool OneIn(uint64_t n) { return Pick(n) == 0; }
  void Happened(uint64_t what, uint64_t who, uint64_t more = 0) {
    for (const uint64_t word : {what, who, more}) {
      hash_ = (hash_ ^ word) * 0x9e3779b97f4a7c15;
      hash_ ^= hash_ >> 29;
    }
  }

  Life& life(int index) { return lives_[index]; }
  int IndexOf(const AnyActorRef& actor) {
    const auto found = by_id_.find(actor.id());
    return found != by_id_.end() ? found->second : -1;
  }
  void Know(int index, const ActorRef<Note>& ref) {
    lives_[index].ref = ref;
    by_id_[ref.id()] = index;
  }
  void CountHandled() { ++handled_; }

  // Spawns some actor by `spawn(index, kind)`, if there may be more.
  using SpawnFunction =
      std::function<absl::StatusOr<ActorRef<Note>>(int index, int kind)>;
  void SpawnOne(int parent, bool parent_watches, const SpawnFunction& spawn);
  void SendOne(int sender, int fuel);
  void EndOne();
  void CheckChildrenAreGone(int parent);
  void CheckSomeStatus();

 private:
  void Watch();
  void ActFromOutside();
  void EndAll();
  void CheckAtRest();
  void CheckParentHeard(const Life& child);
  void CheckHowItEnded(const Life& life, int index);

  QuietLog quiet_;
  Random random_;
  uint64_t hash_ = 0;
  std::deque<Life> lives_;
  std::map<ActorId, int> by_id_;
  std::map<std::tuple<int, int, bool>, int64_t> next_to_;
  int64_t alive_notes_ = 0;
  int64_t sent_ = 0;
  int64_t handled_ = 0;
  int64_t dead_ = 0;
  DeterministicExecutor* executor_;
  std::unique_ptr<ActorSystem> system_;
  std::vector<Subscription> subscriptions_;
};

// Holds that no two hooks or handlers of an actor run at the same time.
class Busy {
 public:
  explicit Busy(Life& life) : life_(life) {
    EXPECT_FALSE(life.busy);
    EXPECT_EQ(life.constructed, 1);
    EXPECT_EQ(life.destroyed, 0);
    life.busy = true;
  }
  ~Busy() { life_.busy = false; }

 private:
  Life& life_;
};

class Node : public Actor<Note> {
 public:
  Node(int index, World& world, bool watches = false)
      : index_(index), watches_(watches), world_(world) {
    if (world_.OneIn(25)) throw std::runtime_error("constructor");
    ++life().constructed;
  }
  ~Node() {
    EXPECT_FALSE(life().busy);
    ++life().destroyed;
    world_.Happened('~', index_);
    world_.CheckChildrenAreGone(index_);
  }

  absl::Status PreStart() {
    const Busy busy(life());
    world_.Know(index_, self());
    CheckFamily();
    if (world_.OneIn(5)) Act(2);
    if (world_.OneIn(25)) return GoWrong();
    life().began = true;
    return absl::OkStatus();
  }

  absl::Status PostStart() {
    const Busy busy(life());
    EXPECT_TRUE(life().began);
    world_.Happened('+', index_);
    if (world_.OneIn(3)) Act(2);
    if (world_.OneIn(25)) return GoWrong();
    life().running = true;
    return absl::OkStatus();
  }

  absl::Status Handle(Note note) {
    world_.CountHandled();
    const Busy busy(life());
    EXPECT_TRUE(life().running);
    EXPECT_TRUE(life().post_stops.empty());
    EXPECT_FALSE(life().failed);
    int64_t& next = life().next_from[{note.sender, note.urgent}];
    EXPECT_EQ(note.number, next++);
    world_.Happened('h', index_, note.number);
    CheckFamily();
    Act(note.fuel);
    return world_.OneIn(40) ? GoWrong() : absl::OkStatus();
  }

  absl::Status PostStop(const ExitReason& reason) {
    const Busy busy(life());
    EXPECT_TRUE(life().running);
    EXPECT_FALSE(life().failed);
    EXPECT_TRUE(reason.IsGraceful());
    life().post_stops.push_back(reason);
    world_.Happened('s', index_);
    if (world_.OneIn(3)) Act(1);
    if (!world_.OneIn(25)) return absl::OkStatus();
    life().failed_in_post_stop = true;
    return Throw();
  }

 protected:
  Life& life() { return world_.life(index_); }

  void HearOfChild(const ChildEvent& event) {
    const Busy busy(life());
    EXPECT_TRUE(life().running);
    EXPECT_TRUE(life().post_stops.empty());
    const int child = world_.IndexOf(event.child);
    ASSERT_GE(child, 0);
    Life& its = world_.life(child);
    EXPECT_EQ(its.parent, index_);
    world_.Happened('c', index_, child);
    if (event.kind == ChildEvent::Kind::kStarted) {
      ++its.heard_starts;
      EXPECT_TRUE(its.heard_ends.empty());
    } else {
      EXPECT_EQ(event.kind == ChildEvent::Kind::kFailed,
                event.reason.kind() == ExitReason::Kind::kFailed);
      EXPECT_EQ(its.destroyed, 1);
      its.heard_ends.push_back(event.reason);
    }
    CheckFamily();
    if (world_.OneIn(4)) Act(1);
  }

  // Fails in one of the ways in which a hook or handler can.
  absl::Status GoWrong() {
    life().failed = true;
    return Throw();
  }

 private:
  absl::Status Throw() {
    const uint64_t how = world_.Pick(4);
    if (how == 0) throw std::runtime_error("thrown");
    if (how == 1) throw 17;
    if (how == 2) return absl::DataLossError("returned");
    Fail(absl::AbortedError("called"));
    return absl::OkStatus();
  }

  void CheckFamily() {
    const int parent_index = life().parent;
    EXPECT_EQ(parent(), parent_index == kOutside
                            ? AnyActorRef()
                            : AnyActorRef(*world_.life(parent_index).ref));
    for (const AnyActorRef& child : children()) {
      const int index = world_.IndexOf(child);
      EXPECT_TRUE(index < 0 || world_.life(index).parent == index_);
    }
  }

  void SpawnChild();

  void Act(int fuel) {
    if (world_.OneIn(8)) system().executor().GiveUpSeat();
    if (world_.OneIn(4)) SpawnChild();
    if (fuel > 0) {
      for (uint64_t i = world_.Pick(3); i > 0; --i) {
        world_.SendOne(index_, fuel - 1);
      }
    }
    if (world_.OneIn(20)) world_.EndOne();
    if (world_.OneIn(60)) {
      life().told_to_end = true;
      StopSelf();
    }
    if (world_.OneIn(8)) system().executor().GiveUpSeat();
    world_.CheckSomeStatus();
  }

  const int index_;
  const bool watches_;
  World& world_;
};

// Hears of its children, and may fail over it.
class Watcher : public Node {
 public:
  Watcher(int index, World& world) : Node(index, world, /*watches=*/true) {}
  absl::Status OnChild(const ChildEvent& event) {
    HearOfChild(event);
    return life().heard_ends.size() % 7 == 6 ? GoWrong() : absl::OkStatus();
  }
};

// Too large for a cell.
class Bulky : public Node {
 public:
  using Node::Node;
  std::array<char, 4000> bulk = {};
};

// By an actor or the system, which have the same functions.
template <typename Spawn>
absl::StatusOr<ActorRef<Note>> SpawnOfKind(int kind, Spawn&& spawn) {
  if (kind % 3 == 0) return spawn.template operator()<Node>();
  if (kind % 3 == 1) return spawn.template operator()<Watcher>();
  return spawn.template operator()<Bulky>();
}

void Node::SpawnChild() {
  world_.SpawnOne(index_, watches_, [this](int index, int kind) {
    const bool dedicated = kind >= 9;
    return SpawnOfKind(
        kind, [&]<typename C>() -> absl::StatusOr<ActorRef<Note>> {
          if (dedicated || kind >= 6) {
            return SpawnInstant<C>({.dedicated_thread = dedicated}, index,
                                   std::ref(world_));
          }
          return Spawn<C>(index, world_);
        });
  });
}

void World::SpawnOne(int parent, bool parent_watches,
                     const SpawnFunction& spawn) {
  if (lives_.size() >= kMaxLives) return;
  const int index = static_cast<int>(lives_.size());
  Life& life = lives_.emplace_back();
  life.parent = parent;
  life.parent_watches = parent_watches;
  absl::StatusOr<ActorRef<Note>> ref = spawn(index, static_cast<int>(Pick(11)));
  Happened('n', index, ref.ok());
  if (ref.ok()) {
    Know(index, *ref);
  } else {
    EXPECT_FALSE(life.began);
    life.refused = true;
  }
}

void World::SendOne(int sender, int fuel) {
  if (lives_.empty()) return;
  const int to = static_cast<int>(Pick(lives_.size()));
  if (!lives_[to].ref.has_value()) return;
  const ActorRef<Note> ref = *lives_[to].ref;
  const uint64_t how = Pick(6);
  const bool urgent = how == 0;
  int64_t& next = next_to_[{sender, to, urgent}];
  if (how == 1) {
    Note note(alive_notes_, sender, urgent, next, fuel);
    const SendResult result = ref.TrySend(std::move(note));
    if (result != SendResult::kSent) {
      EXPECT_EQ(note.number, next);
      return;
    }
  } else if (urgent) {
    ref.SendUrgent<Note>(alive_notes_, sender, urgent, next, fuel);
  } else {
    ref.Send<Note>(alive_notes_, sender, urgent, next, fuel);
  }
  ++next;
  ++sent_;
}

void World::EndOne() {
  Life& life = lives_[Pick(lives_.size())];
  if (!life.ref.has_value()) return;
  life.told_to_end = true;
  const uint64_t how = Pick(4);
  if (how == 0) return life.ref->Kill();
  if (how == 1) return life.ref->Drain();
  life.ref->Stop(how == 2 ? ExitReason::Normal("asked") : ExitReason::Normal());
}

void World::CheckChildrenAreGone(int parent) {
  for (const Life& life : lives_) {
    if (life.parent != parent || life.refused) continue;
    EXPECT_EQ(life.destroyed, life.constructed);
  }
}

void World::CheckSomeStatus() {
  Life& life = lives_[Pick(lives_.size())];
  if (!life.ref.has_value()) return;
  const ActorStatus now = life.ref->status();
  EXPECT_GE(now, life.last_status);
  life.last_status = now;
}

void World::Watch() {
  subscriptions_.push_back(
      system_->Subscribe<DeadLetter>([this](const DeadLetter&) { ++dead_; }));
  subscriptions_.push_back(
      system_->Subscribe<ActorStarted>([this](const ActorStarted& event) {
        Life& life = lives_[by_id_.at(event.actor)];
        ++life.published_starts;
        EXPECT_TRUE(life.running);
        EXPECT_TRUE(life.published_ends.empty());
      }));
  subscriptions_.push_back(
      system_->Subscribe<ActorEnded>([this](const ActorEnded& event) {
        const int index = by_id_.at(event.actor);
        Life& life = lives_[index];
        EXPECT_EQ(life.destroyed, 1);
        EXPECT_TRUE(life.heard_ends.empty());
        life.published_ends.push_back(event.reason);
        Happened('e', index, static_cast<uint64_t>(event.reason.kind()));
      }));
}

void World::ActFromOutside() {
  for (uint64_t i = Pick(4); i > 0; --i) {
    SpawnOne(kOutside, false, [this](int index, int kind) {
      const SpawnOptions options = {.dedicated_thread = kind >= 9};
      return SpawnOfKind(
          kind, [&]<typename A>() -> absl::StatusOr<ActorRef<Note>> {
            if (kind % 2 == 0) {
              return system_->SpawnInstant<A>(options, index, std::ref(*this));
            }
            return system_->Spawn<A>(options, index, std::ref(*this));
          });
    });
  }
  for (uint64_t i = Pick(12); i > 0; --i) SendOne(kOutside, 4);
  if (OneIn(3) && !lives_.empty()) EndOne();
}

void World::EndAll() {
  switch (Pick(4)) {
    case 0:
      EXPECT_TRUE(system_->Shutdown().ok());
      EXPECT_FALSE(system_->SpawnInstant<Node>(0, std::ref(*this)).ok());
      break;
    case 1:
      system_.reset();
      return;
    default: {
      const bool kill = OneIn(2);
      for (Life& life : lives_) {
        if (life.parent != kOutside || !life.ref.has_value()) continue;
        kill ? life.ref->Kill() : life.ref->Drain();
      }
      EXPECT_TRUE(system_->AwaitNoActors(absl::ZeroDuration()));
    }
  }
  EXPECT_EQ(system_->live_actors(), 0u);
  EXPECT_EQ(static_cast<int64_t>(system_->dead_letters()), dead_);
}

uint64_t World::Play() {
  const int rounds = 2 + static_cast<int>(Pick(6));
  for (int round = 0; round < rounds; ++round) {
    ActFromOutside();
    for (uint64_t steps = Pick(60); steps > 0 && executor_->Step(); --steps) {
    }
    if (!OneIn(3)) continue;
    executor_->RunUntilIdle();
    CheckAtRest();
  }
  EndAll();
  EXPECT_EQ(sent_, handled_ + dead_);
  EXPECT_EQ(alive_notes_, 0);
  for (size_t i = 0; i < lives_.size(); ++i) {
    SCOPED_TRACE(absl::StrCat("actor ", i));
    const Life& life = lives_[i];
    EXPECT_EQ(life.destroyed, life.constructed);
    EXPECT_EQ(life.published_ends.size(), life.began ? 1u : 0u);
    if (life.began) CheckHowItEnded(life, static_cast<int>(i));
  }
  return hash_;
}

// Nothing is ready: what was asked for is done.
void World::CheckAtRest() {
  EXPECT_EQ(sent_, handled_ + dead_);
  EXPECT_EQ(alive_notes_, 0);
  EXPECT_EQ(static_cast<int64_t>(system_->dead_letters()), dead_);
  uint64_t alive = 0;
  for (size_t i = 0; i < lives_.size(); ++i) {
    SCOPED_TRACE(absl::StrCat("actor ", i));
    Life& life = lives_[i];
    if (!life.ref.has_value()) continue;
    const ActorStatus status = life.ref->status();
    EXPECT_GE(status, life.last_status);
    life.last_status = status;
    if (status != ActorStatus::kStopped) {
      ++alive;
      EXPECT_EQ(status, ActorStatus::kRunning);
      EXPECT_EQ(life.published_starts, 1);
      EXPECT_FALSE(life.told_to_end);
      EXPECT_FALSE(life.failed);
      EXPECT_TRUE(life.published_ends.empty());
    }
    CheckParentHeard(life);
  }
  EXPECT_EQ(system_->live_actors(), alive);
}

// What a parent that lives on must know by now.
void World::CheckParentHeard(const Life& child) {
  if (child.parent == kOutside) return;
  const Life& parent = lives_[child.parent];
  if (!parent.ref.has_value() ||
      parent.ref->status() == ActorStatus::kStopped) {
    return;
  }
  if (child.parent_watches) {
    EXPECT_EQ(child.heard_starts, child.published_starts);
    EXPECT_EQ(child.heard_ends, child.published_ends);
  } else if (!child.published_ends.empty()) {
    EXPECT_NE(child.published_ends[0].kind(), ExitReason::Kind::kFailed);
  }
}

void World::CheckHowItEnded(const Life& life, int index) {
  const ExitReason& reason = life.published_ends[0];
  EXPECT_LE(life.published_starts, 1);
  EXPECT_LE(life.heard_starts, 1);
  EXPECT_LE(life.heard_ends.size(), 1u);
  EXPECT_TRUE(life.heard_ends.empty() || life.heard_ends[0] == reason);
  EXPECT_TRUE(!life.failed || reason.kind() == ExitReason::Kind::kFailed);
  if (reason.IsGraceful()) {
    EXPECT_EQ(life.post_stops, std::vector<ExitReason>{reason});
    EXPECT_FALSE(life.failed_in_post_stop);
  } else {
    // A kill may overtake the wait for children.
    EXPECT_LE(life.post_stops.size(), 1u);
  }
  if (reason.kind() == ExitReason::Kind::kFailed && !life.failed &&
      !life.failed_in_post_stop) {
    bool failed_child = false;
    for (const Life& other : lives_) {
      failed_child |=
          other.parent == index && !other.published_ends.empty() &&
          other.published_ends[0].kind() == ExitReason::Kind::kFailed;
    }
    EXPECT_TRUE(failed_child);
  }
}

class ActorSimTest : public ::testing::TestWithParam<int> {};

INSTANTIATE_TEST_SUITE_P(Parts, ActorSimTest, ::testing::Range(0, kParts));

//
TEST_P(ActorSimTest, KeepsItsPromisesWhateverHappens) {
  const std::vector<uint64_t> seeds = testing::TestSeeds(kSeeds);
  for (size_t i = GetParam(); i < seeds.size(); i += kParts) {
    SCOPED_TRACE(testing::SeedTrace(seeds[i]));
    const uint64_t hash = World(seeds[i]).Play();
    if (i % kRepeatEvery < kParts) {
      EXPECT_EQ(World(seeds[i]).Play(), hash);
    }
    if (HasFailure()) break;  // One seed at a time is enough to look at.
  }
}

}  // namespace
}  // namespace troupe
