// A stash against two queues: who sends what, when the actor runs, what it sets
// aside and how it ends is what the input says.
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/call.h"
#include "troupe/actor/reply_to.h"
#include "troupe/actor/stash.h"
#include "troupe/scheduler/deterministic_executor.h"
#include "troupe/tools/fuzz/input.h"

namespace troupe {
namespace {

constexpr size_t kCapacity = 4;

struct Item {
  int number;
};
struct Ask {
  int number;
  using Reply = int;
};
struct SetOpen {
  bool open;
};
struct Return {};

// What was handled; negative: refused, the stash is full.
using Log = std::vector<int>;

class Keeper : public Actor<Item, Ask, SetOpen, Return> {
 public:
  explicit Keeper(Log& log) : log_(log) {}

  void Handle(Item m) {
    const int number = m.number;
    if (open_) {
      log_.push_back(number);
    } else if (!stash_.Put(std::move(m)).ok()) {
      log_.push_back(-number);
    }
    EXPECT_LE(stash_.size(), kCapacity);
  }
  void Handle(Ask m, ReplyTo<int> reply) {
    const int number = m.number;
    if (open_) {
      log_.push_back(number);
      reply.Send(number);
      return;
    }
    const absl::Status kept = stash_.Put(std::move(m), std::move(reply));
    if (kept.ok()) return;
    log_.push_back(-number);
    reply.Send(kept);
  }
  void Handle(SetOpen m) { open_ = m.open; }
  void Handle(Return) {
    stash_.Unstash();
    EXPECT_TRUE(stash_.empty());
  }

 private:
  Log& log_;
  bool open_ = false;
  Stash<Item, Ask> stash_{this, kCapacity};
};

class World {
 public:
  explicit World(FuzzInput& input) : input_(input) {
    auto executor = std::make_unique<DeterministicExecutor>(
        DeterministicExecutor::Options{.seed = input.Byte()});
    executor_ = executor.get();
    system_ = ActorSystem::CreateOn(std::move(executor), {});
    keeper_ = system_->Spawn<Keeper>(log_).value();
  }

  void Step() {
    switch (input_.Uniform(6)) {
      case 0:
        keeper_.Send<Item>(++last_);
        waiting_.push_back({.kind = Kind::kItem, .number = last_});
        return;
      case 1:
        ++last_;
        calls_.emplace_back(
            last_,
            keeper_.Call<Ask>(last_).Within(absl::InfiniteDuration()).Start());
        waiting_.push_back({.kind = Kind::kAsk, .number = last_});
        return;
      case 2: {
        const bool open = input_.Bernoulli(0.5);
        keeper_.Send<SetOpen>(open);
        waiting_.push_back({.kind = Kind::kSetOpen, .open = open});
        return;
      }
      case 3:
        keeper_.Send<Return>();
        waiting_.push_back({.kind = Kind::kReturn});
        return;
      default:
        Run();
    }
  }

  // What is set aside at the end becomes dead letters, as what waits does.
  void End() {
    switch (input_.Uniform(3)) {
      case 0:
        keeper_.Drain();
        ModelRun();
        break;
      case 1:
        keeper_.Stop();
        break;
      default:
        keeper_.Kill();
    }
    executor_->RunUntilIdle();
    EXPECT_TRUE(system_->AwaitNoActors());
    EXPECT_EQ(log_, expected_);
    EXPECT_EQ(system_->dead_letters(), waiting_.size() + aside_.size());
    for (auto& [number, call] : calls_) {
      const absl::StatusOr<int> answer = std::move(call).Wait();
      const absl::StatusCode code = CodeOf(number);
      EXPECT_EQ(answer.status().code(), code) << number;
      EXPECT_TRUE(!answer.ok() || *answer == number);
    }
  }

 private:
  enum class Kind { kItem, kAsk, kSetOpen, kReturn };
  struct Message {
    Kind kind;
    int number = 0;
    bool open = false;
  };

  void Run() {
    executor_->RunUntilIdle();
    ModelRun();
    EXPECT_EQ(log_, expected_);
  }

  void ModelRun() {
    while (!waiting_.empty()) {
      const Message message = waiting_.front();
      waiting_.pop_front();
      if (message.kind == Kind::kSetOpen) {
        open_ = message.open;
      } else if (message.kind == Kind::kReturn) {
        waiting_.insert(waiting_.begin(), aside_.begin(), aside_.end());
        aside_.clear();
      } else if (open_) {
        expected_.push_back(message.number);
      } else if (aside_.size() < kCapacity) {
        aside_.push_back(message);
      } else {
        expected_.push_back(-message.number);
      }
    }
  }

  // How the call with that number should have ended.
  absl::StatusCode CodeOf(int number) const {
    for (const int handled : expected_) {
      if (handled == number) return absl::StatusCode::kOk;
      if (handled == -number) return absl::StatusCode::kResourceExhausted;
    }
    return absl::StatusCode::kAborted;
  }

  FuzzInput& input_;
  DeterministicExecutor* executor_;
  std::unique_ptr<ActorSystem> system_;
  Keeper::Ref keeper_;
  Log log_;
  int last_ = 0;
  std::vector<std::pair<int, StartedCall<Ask>>> calls_;
  bool open_ = false;
  std::deque<Message> waiting_;
  std::deque<Message> aside_;
  Log expected_;
};

}  // namespace
}  // namespace troupe

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  troupe::FuzzInput input(data, size);
  troupe::World world(input);
  for (int step = 0; step < 500 && !input.empty(); ++step) world.Step();
  world.End();
  return 0;
}
