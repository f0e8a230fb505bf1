// Random histories of ports on a deterministic executor, against a model that
// keeps one list for each subscription: clause 37 of docs/semantics.md.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/internal/call_testing.h"
#include "troupe/actor/task.h"
#include "troupe/base/random.h"
#include "troupe/scheduler/deterministic_executor.h"
#include "troupe/stream/output_port.h"
#include "troupe/testing/seeds.h"

namespace troupe {
namespace {

using ::testing::ElementsAreArray;
using ::troupe::internal::Gate;
using ::troupe::internal::Open;
using ::troupe::internal::Pass;

// Of one subscription; the port converts the number, so that several of one
// actor can be told apart.
struct Item {
  int number;
};
struct Mine {
  int subscription;
  int number;
};

using Got = std::vector<std::pair<int, int>>;

// Handles one message, and then no other before the gate opens.
class Reader : public Actor<Mine> {
 public:
  Reader(Got& got, Gate::Ref gate) : got_(got), gate_(gate) {}
  Task<void> Handle(const Mine& m) {
    got_.emplace_back(m.subscription, m.number);
    (void)co_await gate_.Call<Pass>();
  }

 private:
  Got& got_;
  const Gate::Ref gate_;
};

// What a subscription is to do, as plainly as it can be said.
struct Model {
  SubscribeOptions options;
  int reader;
  bool offered = true;  // Gets what is published.
  std::deque<int> waiting = {};
  uint64_t dropped = 0;

  void Offer(int number) {
    if (!offered) return;
    waiting.push_back(number);
    if (options.lag == Lag::kLossless) return;
    const size_t limit = options.lag == Lag::kConflate ? 1 : options.limit;
    if (waiting.size() <= limit) return;
    ++dropped;
    if (options.lag == Lag::kDropNewest) {
      waiting.pop_back();
    } else {
      waiting.pop_front();
    }
  }
};

class World {
 public:
  static constexpr int kReaders = 3;
  static constexpr uint32_t kKept = 4;

  explicit World(uint64_t seed)
      : random_(seed),
        executor_(new DeterministicExecutor(DeterministicExecutor::Options{
            .seed = random_.NextUint64(), .workers = 3})),
        system_(
            ActorSystem::CreateOn(std::unique_ptr<Executor>(executor_), {})),
        port_(std::make_unique<OutputPort<Item>>(PortOptions{.keeps = kKept})) {
    gate_ = system_->Spawn<Gate>().value();
    for (int i = 0; i < kReaders; ++i) Spawn(i);
  }
  ~World() { EXPECT_TRUE(system_->Shutdown().ok()); }

  void Step() {
    switch (random_.Uniform(12)) {
      case 0:
      case 1:
        return Subscribe();
      case 2:
        return Unsubscribe();
      case 3:
        return ReplaceReader();
      case 4:
      case 5:
        return OpenGate();
      default:
        return Publish();
    }
  }

  void Check() {
    for (size_t i = 0; i < models_.size(); ++i) {
      const Model& model = models_[i];
      SCOPED_TRACE(i);
      const SubscriptionStats stats = subscriptions_[i].stats();
      if (!cancelled_[i]) {
        EXPECT_EQ(stats.waiting, model.waiting.size());
        EXPECT_EQ(stats.dropped, model.dropped);
        EXPECT_EQ(stats.active, model.offered);
      }
    }
    size_t offered = 0;
    for (const Model& model : models_) offered += model.offered ? 1 : 0;
    EXPECT_EQ(port_->subscriptions(), offered);
  }
  // All that waits is handled.
  void Drain() {
    for (int i = 0; i < 400; ++i) OpenGate();
    for (const Model& model : models_) EXPECT_TRUE(model.waiting.empty());
  }
  uint64_t delivered() const { return delivered_; }
  uint64_t dropped() const {
    uint64_t dropped = 0;
    for (const Model& model : models_) dropped += model.dropped;
    return dropped;
  }

 private:
  void Spawn(int reader) {
    readers_[reader] = system_->Spawn<Reader>(got_[reader], gate_).value();
  }

  // Lets all go on, and takes out of the models what readers have begun to
  // handle: it must be the oldest of its subscription.
  void Settle() {
    executor_->RunUntilIdle();
    for (Got& got : got_) {
      for (const auto& [subscription, number] : got) {
        Model& model = models_[static_cast<size_t>(subscription)];
        ASSERT_FALSE(model.waiting.empty()) << subscription << " " << number;
        EXPECT_EQ(model.waiting.front(), number) << subscription;
        model.waiting.pop_front();
        ++delivered_;
      }
      got.clear();
    }
  }

  void Publish() {
    const int count = 1 + static_cast<int>(random_.Uniform(6));
    for (int i = 0; i < count; ++i) {
      port_->Publish(next_);
      for (Model& model : models_) model.Offer(next_);
      kept_.push_back(next_++);
      if (kept_.size() > kKept) kept_.pop_front();
    }
    Settle();
  }

  void Subscribe() {
    if (models_.size() >= 40) return;
    const int id = static_cast<int>(models_.size());
    Model model{
        .options = {.lag = static_cast<Lag>(random_.Uniform(4)),
                    .limit = 1 + static_cast<uint32_t>(random_.Uniform(4)),
                    .replay = static_cast<uint32_t>(random_.Uniform(6)),
                    .replaces = random_.Uniform(4) == 0},
        .reader = static_cast<int>(random_.Uniform(kReaders))};
    if (model.options.replaces) {
      for (Model& other : models_) {
        if (other.reader == model.reader) other.offered = false;
      }
    }
    const size_t replayed =
        std::min<size_t>(model.options.replay, kept_.size());
    for (size_t i = kept_.size() - replayed; i < kept_.size(); ++i) {
      model.Offer(kept_[i]);
    }
    models_.push_back(model);
    cancelled_.push_back(false);
    subscriptions_.push_back(port_->Subscribe(
        readers_[model.reader],
        [id](const Item& item) {
          return Mine{id, item.number};
        },
        model.options));
    Settle();
  }

  void Unsubscribe() {
    if (models_.empty()) return;
    const size_t which = random_.Uniform(models_.size());
    subscriptions_[which].Unsubscribe();
    models_[which].offered = false;
    models_[which].waiting.clear();
    cancelled_[which] = true;
    Settle();
  }

  // A reader ends, and another takes its place.
  void ReplaceReader() {
    if (random_.Uniform(3) != 0) return;
    const int reader = static_cast<int>(random_.Uniform(kReaders));
    readers_[reader].Kill();
    executor_->RunUntilIdle();
    for (Model& model : models_) {
      if (model.reader != reader) continue;
      model.offered = false;
      model.waiting.clear();
      model.reader = -1;
    }
    Spawn(reader);
    Settle();
  }

  void OpenGate() {
    gate_.Send<Open>();
    Settle();
  }

  Random random_;
  DeterministicExecutor* executor_;
  std::unique_ptr<ActorSystem> system_;
  std::unique_ptr<OutputPort<Item>> port_;
  Gate::Ref gate_;
  ActorRef<Mine> readers_[kReaders];
  Got got_[kReaders];
  std::vector<Model> models_;
  std::vector<bool> cancelled_;
  std::vector<PortSubscription> subscriptions_;
  std::deque<int> kept_;
  int next_ = 0;
  uint64_t delivered_ = 0;
};

TEST(StreamSimTest, AgreesWithTheModel) {
  uint64_t delivered = 0;
  uint64_t dropped = 0;
  const std::vector<uint64_t> seeds = testing::TestSeeds(200);
  for (const uint64_t seed : seeds) {
    SCOPED_TRACE(testing::SeedTrace(seed));
    World world(seed);
    for (int step = 0; step < 80; ++step) {
      world.Step();
      world.Check();
      if (HasFailure()) return;
    }
    world.Drain();
    if (HasFailure()) return;
    delivered += world.delivered();
    dropped += world.dropped();
  }
  // It has seen enough of both.
  EXPECT_GT(delivered, 100 * seeds.size());
  EXPECT_GT(dropped, 50 * seeds.size());
}

}  // namespace
}  // namespace troupe
