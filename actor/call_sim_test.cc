// Random graphs of actors that call each other, with answers that come at once,
// late, from elsewhere or never, while actors are stopped, drained, killed and
// fail, on workers that hand actors over and lose their seats. Checked: each
// call has one outcome, which clauses 22 to 26 allow; what was not delivered
// was never handled; nothing lives on.
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_id.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/child_event.h"
#include "troupe/actor/delivery.h"
#include "troupe/actor/events.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/actor/internal/call_testing.h"
#include "troupe/actor/reply_to.h"
#include "troupe/actor/request.h"
#include "troupe/actor/spawn_options.h"
#include "troupe/actor/task.h"
#include "troupe/base/clock.h"
#include "troupe/base/log.h"
#include "troupe/base/random.h"
#include "troupe/mailbox/capacity.h"
#include "troupe/scheduler/deterministic_executor.h"
#include "troupe/testing/seeds.h"

namespace troupe {
namespace {

using ::troupe::internal::Tracked;

constexpr int kParts = 8;  // The seeds are dealt to as many tests.
constexpr int kSeeds = 16000;
constexpr int kRepeatEvery = 100;
constexpr size_t kMaxLives = 30;
constexpr int kNobody = -1;  // The test, as a caller; no call.

struct Answer {
  Answer(std::atomic<int>& living, int its_call)
      : call(its_call), tracked(living) {}
  int call;
  Tracked tracked;
};

// A message with the number of its call, if it has one. Fuel is how many
// generations of calls may follow it.
struct Base {
  Base(std::atomic<int>& living, int its_call, int its_fuel)
      : call(its_call), fuel(its_fuel), tracked(living) {}
  int call;
  int fuel;
  Tracked tracked;
};
template <int>
struct RequestOf : Base {
  using Base::Base;
  using Reply = Answer;
};
using Plain = RequestOf<0>;      // In a plain function.
using Query = RequestOf<1>;      // In a coroutine.
using Later = RequestOf<2>;      // With a ReplyTo.
using LaterTask = RequestOf<3>;  // With a ReplyTo, in a coroutine.
template <typename M>
inline constexpr bool kHasReplyTo =
    std::is_same_v<M, Later> || std::is_same_v<M, LaterTask>;
struct Work : Base {  // One way.
  using Base::Base;
};
using Api = Protocol<Plain, Query, Later, LaterTask, Work>;
using Ref = ActorRef<Api>;

struct Record {
  int caller = kNobody;
  int callee = kNobody;
  int within = kNobody;  // The call that the caller handled meanwhile.
  bool has_reply_to = false;
  MonotonicTime made;
  absl::Duration timeout;
  int handled = 0;
  bool abandoned = false;  // Its caller was destroyed while it waited.
  std::optional<absl::Status> outcome = {};
};

struct Life {
  std::optional<Ref> ref;  // None if its spawn failed.
  bool is_bounded = false;
  std::vector<ExitReason> ends;
};

struct Owed {
  int call;
  ReplyTo<Answer> reply;
};

class QuietLog : public LogSink {
 public:
  void Send(const LogEntry&) override {}
};

// One run: everything that its actors share.
class World {
 public:
  World(uint64_t seed, std::map<absl::StatusCode, int>& outcomes)
      : random_(seed), outcomes_(outcomes) {
    DeterministicExecutor::Options options;
    options.seed = seed;
    options.workers = 1 + static_cast<int>(Pick(4));
    options.hand_over_probability = Pick(3) * 0.2;
    options.lost_seat_probability = Pick(3) * 0.15;
    auto executor = std::make_unique<DeterministicExecutor>(options);
    executor_ = executor.get();
    system_ =
        ActorSystem::CreateOn(std::move(executor), {.logger = Logger(&quiet_)});
    ended_ = system_->Subscribe<ActorEnded>([this](const ActorEnded& event) {
      lives_[by_id_.at(event.actor)].ends.push_back(event.reason);
    });
  }

  // Plays all of it, and returns a hash of what happened.
  uint64_t Play();

  // -- for actors ------------------------------------------------------------

  uint64_t Pick(uint64_t bound) { return random_.Uniform(bound); }
  bool OneIn(uint64_t n) { return Pick(n) == 0; }
  Life& life(int index) { return lives_[index]; }

  // A call of `callee` that is made now.
  int Begin(int caller, int callee, int within, bool has_reply_to,
            absl::Duration timeout);
  void End(int call, const absl::StatusOr<Answer>& outcome);
  void Abandon(int call) {
    Happened('a', call);
    EXPECT_FALSE(records_[call].outcome.has_value());
    records_[call].abandoned = true;
  }
  void Handle(int call) {
    Happened('h', call);
    if (call == kNobody) return;
    EXPECT_EQ(records_[call].handled++, 0);
  }

  // Somebody who may be called; none if there is none.
  std::optional<int> PickCallee();
  absl::Duration PickTimeout();
  void Act(const std::function<void()>& spawn);
  template <typename Spawner>
  void SpawnOne(Spawner& spawner);

  std::atomic<int> living{0};
  std::vector<Owed> owed;  // That nobody in particular has to answer.

 private:
  void Happened(uint64_t what, uint64_t who) {
    hash_ = (hash_ ^ what ^ who << 8) * 0x9e3779b97f4a7c15;
    hash_ ^= hash_ >> 29;
  }
  void ActFromOutside();
  void CallFromOutside();
  void EndAll();
  void Check(const Record& record);
  bool IsAllowed(const Record& record, const absl::Status& status,
                 bool not_delivered);

  QuietLog quiet_;
  Random random_;
  std::map<absl::StatusCode, int>& outcomes_;  // How often each was seen.
  uint64_t hash_ = 0;
  std::deque<Life> lives_;
  std::map<ActorId, int> by_id_;
  std::deque<Record> records_;
  DeterministicExecutor* executor_;
  std::unique_ptr<ActorSystem> system_;
  Subscription ended_;
};

// A call in the frame that makes it.
class Pending {
 public:
  Pending(World& world, int call) : world_(world), call_(call) {}
  Pending(const Pending&) = delete;
  Pending& operator=(const Pending&) = delete;
  ~Pending() {
    if (!ended_) world_.Abandon(call_);
  }
  void End(const absl::StatusOr<Answer>& outcome) {
    ended_ = true;
    world_.End(call_, outcome);
  }

 private:
  World& world_;
  const int call_;
  bool ended_ = false;
};

// Holds that nothing else is handled meanwhile.
class Busy {
 public:
  Busy(World& world, bool& busy) : busy_(busy), tracked_(world.living) {
    EXPECT_FALSE(std::exchange(busy_, true));
  }
  ~Busy() { busy_ = false; }

 private:
  bool& busy_;
  Tracked tracked_;
};

class Node : public Actor<Api> {
 public:
  Node(int index, World& world)
      : world_(world), index_(index), tracked_(world.living) {}

  absl::StatusOr<Answer> Handle(const Plain& m) {
    const Busy busy(world_, busy_);
    world_.Handle(m.call);
    Act();
    return Result(m.call);
  }
  Task<absl::StatusOr<Answer>> Handle(Query m, Request& request) {
    std::optional<Busy> busy;
    if (!interleaved_) busy.emplace(world_, busy_);
    world_.Handle(m.call);
    for (uint64_t i = world_.Pick(3); i > 0; --i) {
      Act();
      co_await CallSome(m.call, m.fuel);
      if (request.stop_token().stop_requested()) break;
    }
    co_return Result(m.call);
  }
  void Handle(Later m, ReplyTo<Answer> reply) {
    const Busy busy(world_, busy_);
    world_.Handle(m.call);
    Act();
    Owe(m.call, std::move(reply));
  }
  Task<void> Handle(LaterTask m, ReplyTo<Answer> reply) {
    const Busy busy(world_, busy_);
    world_.Handle(m.call);
    co_await CallSome(m.call, m.fuel);
    Owe(m.call, std::move(reply));
  }
  Task<absl::Status> Handle(Work m) {
    std::optional<Busy> busy;
    if (!interleaved_) busy.emplace(world_, busy_);
    for (uint64_t i = world_.Pick(3); i > 0; --i) {
      Act();
      co_await CallSome(kNobody, m.fuel);
    }
    co_return world_.OneIn(30) ? GoWrong() : absl::OkStatus();
  }

 protected:
  // Calls somebody, and waits for what comes.
  Task<void> CallSome(int within, int fuel) {
    if (fuel == 0) co_return;
    const std::optional<int> callee = world_.PickCallee();
    if (!callee.has_value()) co_return;
    const uint64_t kind = world_.Pick(4);
    if (kind == 0) co_await CallOne<Plain>(*callee, within, fuel - 1);
    if (kind == 1) co_await CallOne<Query>(*callee, within, fuel - 1);
    if (kind == 2) co_await CallOne<Later>(*callee, within, fuel - 1);
    if (kind == 3) co_await CallOne<LaterTask>(*callee, within, fuel - 1);
  }
  template <typename M>
  Task<void> CallOne(int callee, int within, int fuel) {
    const Ref ref = *world_.life(callee).ref;
    const absl::Duration timeout = world_.PickTimeout();
    const int call =
        world_.Begin(index_, callee, within, kHasReplyTo<M>, timeout);
    Pending pending(world_, call);
    pending.End(
        co_await ref.Call<M>(world_.living, call, fuel).Within(timeout));
  }

  absl::Status GoWrong() {
    if (world_.OneIn(3)) throw std::runtime_error("thrown");
    if (world_.OneIn(2)) return absl::DataLossError("returned");
    Fail(absl::DataLossError("called"));
    return absl::OkStatus();
  }
  void Act() {
    if (world_.OneIn(8)) system().executor().GiveUpSeat();
    if (world_.OneIn(40)) StopSelf();
    world_.Act([this] { world_.SpawnOne(*this); });
    for (size_t i = world_.Pick(owed_.size() + 1); i > 0; --i) Settle(owed_);
    Settle(world_.owed);
  }

  World& world_;
  bool interleaved_ = false;

 private:
  friend World;

  absl::StatusOr<Answer> Result(int call) {
    if (world_.OneIn(25)) throw std::runtime_error("thrown");
    if (world_.OneIn(10)) return absl::DataLossError("returned");
    return Answer(world_.living, call);
  }
  void Owe(int call, ReplyTo<Answer> reply) {
    const uint64_t how = world_.Pick(6);
    if (how == 0) return;  // Drops it.
    if (how == 1) {
      reply.Send(absl::DataLossError("returned"));
    } else if (how == 2) {
      const bool owed = reply.pending();
      EXPECT_EQ(reply.Send(Answer(world_.living, call)), owed);
      EXPECT_FALSE(reply.Send(Answer(world_.living, call)));
    } else {
      (how == 3 ? world_.owed : owed_).push_back({call, std::move(reply)});
    }
  }
  void Settle(std::vector<Owed>& owed) {
    if (owed.empty()) return;
    Owed last = std::move(owed.back());
    owed.pop_back();
    last.reply.Send(Answer(world_.living, last.call));
  }

  const int index_;
  Tracked tracked_;
  bool busy_ = false;
  std::vector<Owed> owed_;
};

class InterleavedNode : public Node {
 public:
  using Interleaved = Protocol<Query, Work>;
  InterleavedNode(int index, World& world) : Node(index, world) {
    interleaved_ = true;
  }
};

// All of its hooks may be suspended.
class HookedNode : public Node {
 public:
  using Node::Node;
  Task<absl::Status> PreStart() { return Hook(); }
  Task<absl::Status> PostStart() { return Hook(); }
  Task<absl::Status> PostStop(const ExitReason&) { return Hook(); }
  Task<absl::Status> OnChild(const ChildEvent&) { return Hook(); }

 private:
  Task<absl::Status> Hook() {
    const Tracked frame(world_.living);
    Act();
    if (world_.OneIn(2)) co_await CallSome(kNobody, 2);
    co_return world_.OneIn(20) ? GoWrong() : absl::OkStatus();
  }
};

template <typename Spawner>
void World::SpawnOne(Spawner& spawner) {
  if (lives_.size() >= kMaxLives) return;
  const int index = static_cast<int>(lives_.size());
  Life& life = lives_.emplace_back();
  SpawnOptions options;
  options.dedicated_thread = OneIn(10);
  if (OneIn(4)) {
    life.is_bounded = true;
    options.mailbox = {.messages = 1 + Pick(3),
                       .policy = static_cast<OverflowPolicy>(Pick(4))};
  }
  const uint64_t kind = Pick(options.dedicated_thread ? 2 : 3);
  absl::StatusOr<Ref> ref = absl::UnknownError("");
  const auto world = std::ref(*this);
  if (kind == 0) {
    ref = spawner.template SpawnInstant<HookedNode>(options, index, world);
  } else if (kind == 1) {
    ref = spawner.template SpawnInstant<InterleavedNode>(options, index, world);
  } else {
    ref = spawner.template Spawn<Node>(options, index, *this);
  }
  if (!ref.ok()) return;
  life.ref = *ref;
  by_id_[ref->id()] = index;
}

int World::Begin(int caller, int callee, int within, bool has_reply_to,
                 absl::Duration timeout) {
  Record record{.caller = caller,
                .callee = callee,
                .within = within,
                .has_reply_to = has_reply_to,
                .made = executor_->clock().Now(),
                .timeout = timeout};
  if (within != kNobody) {
    const Record& outer = records_[within];
    record.timeout =
        std::min(timeout, std::max(absl::ZeroDuration(),
                                   outer.made + outer.timeout - record.made));
  }
  records_.push_back(record);
  return static_cast<int>(records_.size()) - 1;
}

void World::End(int call, const absl::StatusOr<Answer>& outcome) {
  Happened('o', call);
  Record& record = records_[call];
  EXPECT_FALSE(record.outcome.has_value());
  record.outcome = outcome.status();
  EXPECT_TRUE(!outcome.ok() || outcome->call == call);
  if (outcome.status().code() == absl::StatusCode::kDeadlineExceeded) {
    EXPECT_GE(executor_->clock().Now(), record.made + record.timeout);
  }
}

std::optional<int> World::PickCallee() {
  const int index = static_cast<int>(Pick(lives_.size()));
  if (!lives_[index].ref.has_value()) return std::nullopt;
  return index;
}

absl::Duration World::PickTimeout() {
  if (OneIn(6)) return absl::ZeroDuration();
  return OneIn(5) ? absl::Seconds(5) : absl::Milliseconds(1 + Pick(20));
}

void World::Act(const std::function<void()>& spawn) {
  if (OneIn(6)) spawn();
  if (OneIn(3)) {
    if (const std::optional<int> to = PickCallee()) {
      lives_[*to].ref->Send<Work>(living, kNobody, 1);
    }
  }
  if (OneIn(4)) {
    if (const std::optional<int> to = PickCallee()) {
      lives_[*to].ref->SendUrgent<Plain>(living, kNobody, 1);
    }
  }
  const std::optional<int> whom = PickCallee();
  if (!whom.has_value() || !OneIn(15)) return;
  const Ref& ref = *lives_[*whom].ref;
  const uint64_t how = Pick(3);
  how == 0 ? ref.Kill() : how == 1 ? ref.Stop() : ref.Drain();
}

void World::CallFromOutside() {
  const std::optional<int> callee = PickCallee();
  if (!callee.has_value()) return;
  const Ref ref = *lives_[*callee].ref;
  const absl::Duration timeout = PickTimeout();
  const bool later = OneIn(2);
  const int call = Begin(kNobody, *callee, kNobody, later, timeout);
  End(call, later ? ref.Call<Later>(living, call, 3).Within(timeout).Wait()
                  : ref.Call<Query>(living, call, 3).Within(timeout).Wait());
}

void World::ActFromOutside() {
  for (uint64_t i = Pick(5); i > 0; --i) SpawnOne(*system_);
  if (lives_.empty()) return;
  for (uint64_t i = Pick(6); i > 0; --i) {
    if (const std::optional<int> to = PickCallee()) {
      lives_[*to].ref->Send<Work>(living, kNobody, 3);
    }
  }
  if (OneIn(3)) CallFromOutside();
  Act([this] { SpawnOne(*system_); });
}

void World::EndAll() {
  switch (Pick(3)) {
    case 0:
      EXPECT_TRUE(system_->Shutdown(absl::Seconds(Pick(20))).ok());
      break;
    case 1:
      ended_ = Subscription();
      system_.reset();
      return;
    default: {
      const bool kill = OneIn(2);
      for (Life& life : lives_) {
        if (life.ref.has_value()) kill ? life.ref->Kill() : life.ref->Drain();
      }
      EXPECT_TRUE(system_->AwaitNoActors(absl::Minutes(10)));
    }
  }
  EXPECT_EQ(system_->live_actors(), 0u);
}

// What the clauses allow, now that all is over.
void World::Check(const Record& record) {
  if (!record.outcome.has_value()) {
    EXPECT_TRUE(record.abandoned);
    const std::vector<ExitReason>& ends = lives_[record.caller].ends;
    EXPECT_TRUE(ends.empty() || !ends[0].IsGraceful());
    return;
  }
  EXPECT_FALSE(record.abandoned);
  const absl::Status& status = *record.outcome;
  ++outcomes_[status.code()];
  SCOPED_TRACE(status.ToString());
  const DeliveryState delivery = Delivery(status);
  const bool not_delivered = delivery == DeliveryState::kNotDelivered;
  EXPECT_TRUE(!not_delivered || record.handled == 0);
  if (delivery == DeliveryState::kAnswered) {
    EXPECT_EQ(record.handled, 1);
    EXPECT_TRUE(status.ok() || status.message() == "returned");
  } else {
    EXPECT_TRUE(IsAllowed(record, status, not_delivered));
  }
}

bool World::IsAllowed(const Record& record, const absl::Status& status,
                      bool not_delivered) {
  switch (status.code()) {
    case absl::StatusCode::kNotFound:
      return not_delivered;
    case absl::StatusCode::kAborted:
      return record.handled == (not_delivered ? 0 : 1);
    case absl::StatusCode::kResourceExhausted:
      return not_delivered && lives_[record.callee].is_bounded;
    case absl::StatusCode::kFailedPrecondition:
      return not_delivered ? record.caller == record.callee
                           : absl::StrContains(status.message(), "in a cycle");
    case absl::StatusCode::kDeadlineExceeded:
      return true;  // See End().
    case absl::StatusCode::kCancelled:
      break;
    default:
      return false;
  }
  if (absl::StrContains(status.message(), "dropped")) {
    return record.has_reply_to && record.handled == 1;
  }
  // Whoever waited for the caller has given up.
  if (record.within == kNobody) return false;
  const Record& outer = records_[record.within];
  return outer.abandoned ||
         outer.outcome->code() == absl::StatusCode::kCancelled;
}

uint64_t World::Play() {
  const int rounds = 2 + static_cast<int>(Pick(6));
  for (int round = 0; round < rounds; ++round) {
    ActFromOutside();
    for (uint64_t steps = Pick(60); steps > 0 && executor_->Step(); --steps) {
    }
    if (OneIn(3)) executor_->RunFor(absl::Milliseconds(Pick(30)));
  }
  if (OneIn(2)) {
    // All deadlines pass: nobody waits any more.
    executor_->RunFor(absl::Minutes(10));
    for (const Record& record : records_) {
      EXPECT_TRUE(record.abandoned || record.outcome.has_value());
    }
  }
  EndAll();
  owed.clear();
  system_.reset();
  EXPECT_EQ(living, 0);
  for (size_t i = 0; i < records_.size(); ++i) {
    SCOPED_TRACE(absl::StrCat("call ", i));
    Check(records_[i]);
  }
  return hash_;
}

class CallSimTest : public ::testing::TestWithParam<int> {};

INSTANTIATE_TEST_SUITE_P(Parts, CallSimTest, ::testing::Range(0, kParts));

TEST_P(CallSimTest, EachCallHasOneOutcome) {
  std::map<absl::StatusCode, int> outcomes;
  const std::vector<uint64_t> seeds = testing::TestSeeds(kSeeds);
  for (size_t i = GetParam(); i < seeds.size(); i += kParts) {
    SCOPED_TRACE(testing::SeedTrace(seeds[i]));
    const uint64_t hash = World(seeds[i], outcomes).Play();
    if (i % kRepeatEvery < kParts) {
      EXPECT_EQ(World(seeds[i], outcomes).Play(), hash);
    }
    if (HasFailure()) break;  // One seed at a time is enough to look at.
  }
  if (seeds.size() < kSeeds) return;
  // The answer, a failure of the handler's, and the six of the runtime.
  EXPECT_EQ(outcomes.size(), 8u);
}

}  // namespace
}  // namespace troupe
