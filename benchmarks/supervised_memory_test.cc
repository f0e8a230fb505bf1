// What an idle child of a supervisor takes of the machine's memory, its own
// state of eight bytes and what the supervisor keeps of it together. A process
// of its own: in another one there might be memory to reuse.
#include <cstdint>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/task.h"
#include "troupe/benchmarks/resident_memory.h"
#include "troupe/benchmarks/sanitized.h"
#include "troupe/supervision/supervisor.h"
#include "troupe/testing/status_matchers.h"

namespace troupe::benchmarks {
namespace {

using ::testing::Ge;
using ::testing::Le;
using ::troupe::testing::IsOk;

struct Wake {};

class Sleeper : public Actor<Wake> {
 public:
  void Handle(Wake) { ++woken_; }

 private:
  int64_t woken_ = 0;
};

struct StartMany {
  int64_t children;
  using Reply = absl::Status;
};

class Starter : public Actor<StartMany> {
 public:
  explicit Starter(SupervisorRef supervisor) : supervisor_(supervisor) {}

  Task<absl::Status> Handle(StartMany m) {
    for (int64_t i = 0; i < m.children; ++i) {
      ChildSpec child = ChildSpec::Of<Sleeper>({.restart = kTemporary});
      const absl::StatusOr<AnyActorRef> started =
          co_await supervisor_.Call<StartChild>(std::move(child));
      if (!started.ok()) co_return started.status();
    }
    co_return absl::OkStatus();
  }

 private:
  const SupervisorRef supervisor_;
};

TEST(SupervisedMemoryTest, IdleChildTakesAtMostSixLines) {
  constexpr int64_t kChildren = 100'000;
  const std::unique_ptr<ActorSystem> system =
      ActorSystem::Create({.workers = 1}).value();
  const SupervisorRef supervisor =
      Supervisor::Start(*system, {.strategy = kDynamic}).value();
  const auto starter = system->Spawn<Starter>(supervisor).value();
  const int64_t before = ExactResidentBytes();
  ASSERT_THAT(starter.Call<StartMany>(kChildren)
                  .Within(absl::InfiniteDuration())
                  .Wait(),
              IsOk());
  const int64_t bytes_per_child = (ExactResidentBytes() - before) / kChildren;
  RecordProperty("bytes_per_child", std::to_string(bytes_per_child));
  // With less than a cell, something else would have been measured.
  EXPECT_THAT(bytes_per_child, Ge(160));
#ifndef TROUPE_SANITIZED
  EXPECT_THAT(bytes_per_child, Le(384));
#endif
}

}  // namespace
}  // namespace troupe::benchmarks
