// Names against a model that is one map, in random histories on the
// deterministic executor (§31): what is found, who is refused, who is woken and
// what watchers are told.
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_ref.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/internal/await_testing.h"
#include "troupe/actor/task.h"
#include "troupe/base/random.h"
#include "troupe/registry/name_event.h"
#include "troupe/registry/names.h"
#include "troupe/scheduler/deterministic_executor.h"
#include "troupe/testing/seeds.h"

namespace troupe {
namespace {

using internal::Do;
using internal::Runner;
using Owners = std::map<std::string, AnyActorRef>;

struct Rest {};

class Idle : public Actor<Rest> {
 public:
  void Handle(Rest) {}
};

// One who waits for a name.
struct Waiter {
  std::string name;
  std::optional<absl::StatusOr<ActorRef<>>> found;
  std::optional<AnyActorRef> expected;
};

class World {
 public:
  World(ActorSystem& system, DeterministicExecutor& executor, uint64_t seed)
      : system_(system),
        executor_(executor),
        names_(system.Get<Names>()),
        random_(seed) {
    // On one thread events are told as things happen. So the model learns when
    // an actor that was killed has given back its names; all else it knows
    // before.
    ends_ = system_.Subscribe<NameEvent>([this](const NameEvent& event) {
      if (event.kind != NameEvent::Kind::kGone || unregisters_) return;
      EXPECT_TRUE(doomed_.contains(event.actor)) << event.name;
      EXPECT_EQ(owners_.at(event.name), event.actor);
      owners_.erase(event.name);
      ++given_back;
    });
    Follow();
  }

  void Step() {
    const std::string name = absl::StrCat("n", random_.Uniform(6));
    switch (random_.Uniform(10)) {
      case 0:
        return Spawn(name);
      case 1:
        actors_.push_back(system_.Spawn<Idle>().value());
        return;
      case 2:
        return Kill();
      case 3:
      case 4:
        return Register(name);
      case 5:
        return Unregister(name);
      case 6:
        return Move(name);
      case 7:
        return WaitFor(name);
      case 8:
        if (followed_.size() < 5) Follow();
        return;
      default:
        for (uint64_t i = random_.Uniform(4); i > 0; --i) executor_.Step();
    }
  }

  // At any time.
  void Check() {
    Owners listed;
    for (const Names::Entry& entry : names_.ListAll()) {
      listed[entry.name] = entry.actor;
    }
    EXPECT_EQ(listed, owners_);
    for (const std::unique_ptr<Owners>& followed : followed_) {
      EXPECT_EQ(*followed, owners_);
    }
  }
  // After what is under way has happened.
  void CheckAtRest() {
    executor_.RunUntilIdle();
    Check();
    for (const AnyActorRef& actor : doomed_) {
      EXPECT_TRUE(names_.NamesOf(actor).empty());
    }
    doomed_.clear();
    for (const std::unique_ptr<Waiter>& waiter : waiters_) {
      ASSERT_EQ(waiter->found.has_value(), waiter->expected.has_value())
          << waiter->name;
      // Its finding may have died since.
      if (waiter->found.has_value() && waiter->found->ok()) {
        EXPECT_EQ(**waiter->found, *waiter->expected);
      }
    }
    answered += std::erase_if(
        waiters_, [](const auto& waiter) { return waiter->found.has_value(); });
  }

  size_t taken = 0;
  size_t refused = 0;
  size_t answered = 0;
  size_t given_back = 0;

 private:
  AnyActorRef Some() {
    if (actors_.empty()) return AnyActorRef();
    return actors_[random_.Uniform(actors_.size())];
  }
  bool CanBeGivenNames(const AnyActorRef& actor) const {
    return !actor.IsNull() && !doomed_.contains(actor) &&
           !dead_.contains(actor);
  }
  bool Leads(const std::string& name, const AnyActorRef& actor) const {
    const auto owned = owners_.find(name);
    return owned != owners_.end() && owned->second == actor;
  }
  void Appear(const std::string& name, const AnyActorRef& owner) {
    owners_[name] = owner;
    for (const std::unique_ptr<Waiter>& waiter : waiters_) {
      if (waiter->name == name && !waiter->expected.has_value()) {
        waiter->expected = owner;
      }
    }
  }

  void Spawn(const std::string& name) {
    const bool is_free = !owners_.contains(name);
    const absl::StatusOr<Idle::Ref> actor = system_.Spawn<Idle>({.name = name});
    ASSERT_EQ(actor.ok(), is_free) << actor.status();
    if (!actor.ok()) {
      EXPECT_EQ(actor.status().code(), absl::StatusCode::kAlreadyExists);
      ++taken;
      return;
    }
    actors_.push_back(*actor);
    Appear(name, *actor);
  }
  // It ends as others go on.
  void Kill() {
    if (actors_.empty()) return;
    const AnyActorRef actor = Some();
    if (!CanBeGivenNames(actor)) return;
    doomed_.insert(actor);
    dead_.insert(actor);
    actor.Kill();
  }
  void Register(const std::string& name) {
    const AnyActorRef actor = Some();
    const absl::Status status = names_.Register(name, actor);
    if (owners_.contains(name)) {
      EXPECT_EQ(status.code(), absl::StatusCode::kAlreadyExists) << status;
      ++taken;
    } else if (!CanBeGivenNames(actor)) {
      EXPECT_EQ(status.code(), absl::StatusCode::kNotFound) << status;
      ++refused;
    } else {
      EXPECT_EQ(status, absl::OkStatus());
      Appear(name, actor);
    }
  }
  void Unregister(const std::string& name) {
    const AnyActorRef actor = Some();
    unregisters_ = true;
    EXPECT_EQ(names_.Unregister(name, actor).ok(), Leads(name, actor));
    unregisters_ = false;
    if (Leads(name, actor)) owners_.erase(name);
  }
  void Move(const std::string& name) {
    const AnyActorRef to = Some();
    const auto owned = owners_.find(name);
    const AnyActorRef from = owned != owners_.end() && random_.Uniform(3) > 0
                                 ? owned->second
                                 : Some();
    const bool can = Leads(name, from) && CanBeGivenNames(to);
    EXPECT_EQ(names_.Move(name, from, to).ok(), can);
    if (can) owners_[name] = to;
  }
  void WaitFor(const std::string& name) {
    const Runner::Ref runner = system_.Spawn<Runner>().value();
    waiters_.push_back(std::make_unique<Waiter>());
    Waiter* const waiter = waiters_.back().get();
    waiter->name = name;
    runner.Send<Do>([this, waiter](Runner& me) -> Task<absl::Status> {
      // A turn that is to lose its worker, while others go on, loses it here.
      me.self().Send<Do>(
          [](Runner&) -> Task<absl::Status> { co_return absl::OkStatus(); });
      if (const auto owned = owners_.find(waiter->name);
          owned != owners_.end() && !waiter->expected.has_value()) {
        waiter->expected = owned->second;
      }
      // From here to where it waits nothing else happens.
      waiter->found =
          co_await names_.WaitFor<>(waiter->name, absl::InfiniteDuration());
      co_return absl::OkStatus();
    });
    // Until it begins, names may come and go that it never sees.
    executor_.RunUntilIdle();
  }
  void Follow() {
    followed_.push_back(std::make_unique<Owners>());
    watches_.push_back(
        names_
            .WatchPrefix("", [owners = followed_.back().get()](
                                 const NameEvent& e) { Follow(*owners, e); })
            .value());
  }
  // Changes a map by an event alone.
  static void Follow(Owners& owners, const NameEvent& event) {
    const auto found = owners.find(event.name);
    if (event.kind == NameEvent::Kind::kAppeared) {
      EXPECT_EQ(found, owners.end());
    } else {
      ASSERT_NE(found, owners.end());
      EXPECT_EQ(found->second, event.kind == NameEvent::Kind::kMoved
                                   ? event.former
                                   : event.actor);
    }
    if (event.kind == NameEvent::Kind::kGone) {
      owners.erase(found);
    } else {
      owners[event.name] = event.actor;
    }
  }

  ActorSystem& system_;
  DeterministicExecutor& executor_;
  Names& names_;
  Random random_;
  Owners owners_;  // The model.
  std::vector<AnyActorRef> actors_;
  absl::flat_hash_set<AnyActorRef> doomed_;  // Killed since all was at rest.
  absl::flat_hash_set<AnyActorRef> dead_;    // Killed.
  bool unregisters_ = false;
  std::vector<std::unique_ptr<Waiter>> waiters_;
  std::vector<std::unique_ptr<Owners>> followed_;
  Subscription ends_;
  std::vector<Subscription> watches_;
};

TEST(NamesSimTest, AgreesWithOneMap) {
  size_t taken = 0;
  size_t refused = 0;
  size_t answered = 0;
  size_t given_back = 0;
  for (const uint64_t seed : testing::TestSeeds(40)) {
    SCOPED_TRACE(testing::SeedTrace(seed));
    auto owned = std::make_unique<DeterministicExecutor>(
        DeterministicExecutor::Options{.seed = seed});
    DeterministicExecutor& executor = *owned;
    std::unique_ptr<ActorSystem> system =
        ActorSystem::CreateOn(std::move(owned), {});
    World world(*system, executor, seed);
    for (int step = 0; step < 300; ++step) {
      world.Step();
      world.Check();
      if (step % 20 == 0) world.CheckAtRest();
      ASSERT_FALSE(::testing::Test::HasFailure()) << "at step " << step;
    }
    world.CheckAtRest();
    taken += world.taken;
    refused += world.refused;
    answered += world.answered;
    given_back += world.given_back;
  }
  // The histories held what they are about.
  EXPECT_GT(taken, 100u);
  EXPECT_GT(refused, 100u);
  EXPECT_GT(answered, 100u);
  EXPECT_GT(given_back, 100u);
}

}  // namespace
}  // namespace troupe
