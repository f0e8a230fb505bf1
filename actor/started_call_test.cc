// Calls that are made now and awaited later; clauses 22 to 25.
#include <cstdint>
#include <memory>
#include <optional>
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
#include "troupe/actor/sleep.h"
#include "troupe/actor/task.h"
#include "troupe/scheduler/deterministic_executor.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using ::troupe::testing::IsOk;
using ::troupe::testing::IsOkAndHolds;
using ::troupe::testing::StatusIs;

struct Answer {
  absl::Duration after;
  using Reply = int;
};

class Server : public Actor<Answer> {
 public:
  explicit Server(int& given_up) : given_up_(given_up) {}
  Task<int> Handle(Answer m) {
    const bool slept = co_await Sleep(m.after);
    if (!slept) ++given_up_;
    co_return 7;
  }

 private:
  int& given_up_;
};

// Never answers.
class Silent : public Actor<Answer> {
 public:
  void Handle(Answer, ReplyTo<int> reply) { kept_.push_back(std::move(reply)); }

 private:
  std::vector<ReplyTo<int>> kept_;
};

struct Start {
  absl::Duration after;
};
struct IsOver {
  using Reply = bool;
};
struct Await {
  using Reply = int;
};
struct Drop {};

class Client : public Actor<Start, IsOver, Await, Drop> {
 public:
  explicit Client(ActorRef<Answer> server) : server_(server) {}
  void Handle(Start m) {
    call_.emplace(
        server_.Call<Answer>(m.after).Within(absl::Seconds(2)).Start());
  }
  bool Handle(IsOver) { return call_->is_over(); }
  Task<absl::StatusOr<int>> Handle(Await) {
    StartedCall<Answer> call = std::move(*call_);
    call_.reset();
    co_return co_await std::move(call);
  }
  void Handle(Drop) { call_.reset(); }

 private:
  const ActorRef<Answer> server_;
  std::optional<StartedCall<Answer>> call_;
};

class StartedCallTest : public ::testing::TestWithParam<uint64_t> {
 protected:
  StartedCallTest()
      : executor_(new DeterministicExecutor({.seed = GetParam()})),
        system_(
            ActorSystem::CreateOn(std::unique_ptr<Executor>(executor_), {})),
        server_(system_->Spawn<Server>(given_up_).value()),
        client_(system_->Spawn<Client>(server_).value()) {}

  int given_up_ = 0;
  DeterministicExecutor* executor_;
  std::unique_ptr<ActorSystem> system_;
  Server::Ref server_;
  Client::Ref client_;
};

TEST_P(StartedCallTest, AnswerWaitsForWhoAwaitsItLater) {
  client_.Send<Start>(absl::Seconds(1));
  EXPECT_THAT(client_.Call<IsOver>().Wait(), IsOkAndHolds(false));
  executor_->RunFor(absl::Milliseconds(1500));
  EXPECT_THAT(client_.Call<IsOver>().Wait(), IsOkAndHolds(true));
  EXPECT_THAT(client_.Call<Await>().Wait(), IsOkAndHolds(7));
  EXPECT_EQ(given_up_, 0);
}

TEST_P(StartedCallTest, WhoAwaitsItFirstIsResumedByTheAnswer) {
  client_.Send<Start>(absl::Seconds(1));
  EXPECT_THAT(client_.Call<Await>().Wait(), IsOkAndHolds(7));
}

TEST_P(StartedCallTest, ItsDeadlineRunsFromTheStart) {
  const auto silent = system_->Spawn<Silent>().value();
  const auto client = system_->Spawn<Client>(silent).value();
  client.Send<Start>(absl::Hours(1));
  executor_->RunFor(absl::Milliseconds(1900));
  EXPECT_THAT(client.Call<IsOver>().Wait(), IsOkAndHolds(false));
  executor_->RunFor(absl::Milliseconds(200));
  EXPECT_THAT(client.Call<IsOver>().Wait(), IsOkAndHolds(true));
  EXPECT_THAT(client.Call<Await>().Wait(),
              StatusIs(absl::StatusCode::kDeadlineExceeded));
}

TEST_P(StartedCallTest, DroppedItIsCancelled) {
  client_.Send<Start>(absl::Seconds(1));
  executor_->RunUntilIdle();  // Its handler waits.
  client_.Send<Drop>();
  executor_->RunUntilIdle();
  EXPECT_EQ(given_up_, 1);
}

TEST_P(StartedCallTest, EndOfItsActorCancelsIt) {
  client_.Send<Start>(absl::Seconds(1));
  executor_->RunUntilIdle();
  client_.Kill();
  executor_->RunUntilIdle();
  EXPECT_EQ(given_up_, 1);
}

TEST_P(StartedCallTest, GoneActorIsToldAtOnce) {
  EXPECT_THAT(server_.StopAndWait(), IsOk());
  client_.Send<Start>(absl::Seconds(1));
  EXPECT_THAT(client_.Call<IsOver>().Wait(), IsOkAndHolds(true));
  EXPECT_THAT(client_.Call<Await>().Wait(),
              StatusIs(absl::StatusCode::kNotFound));
}

TEST_P(StartedCallTest, PlainThreadStartsAndWaits) {
  StartedCall<Answer> call = server_.Call<Answer>(absl::Seconds(1)).Start();
  EXPECT_FALSE(call.is_over());
  EXPECT_THAT(std::move(call).Wait(), IsOkAndHolds(7));
  {
    const auto dropped = server_.Call<Answer>(absl::Hours(1)).Start();
    executor_->RunUntilIdle();
    EXPECT_FALSE(dropped.is_over());
  }
  executor_->RunUntilIdle();
  EXPECT_EQ(given_up_, 1);
}

// One that waits in the mailbox is given up; another, which waits there, too,
// is not.
TEST_P(StartedCallTest, DropOnAPlainThreadCancelsNoOtherCall) {
  auto handled = server_.Call<Answer>(absl::Seconds(1)).Start();
  executor_->RunUntilIdle();
  auto kept = server_.Call<Answer>(absl::Seconds(1)).Start();
  { const auto dropped = server_.Call<Answer>(absl::Hours(1)).Start(); }
  EXPECT_THAT(std::move(handled).Wait(), IsOkAndHolds(7));
  EXPECT_THAT(std::move(kept).Wait(), IsOkAndHolds(7));
  executor_->RunUntilIdle();
  EXPECT_EQ(given_up_, 0);  // Nor was the dropped one ever handled.
}

INSTANTIATE_TEST_SUITE_P(Seeds, StartedCallTest,
                         ::testing::Range<uint64_t>(1, 21));

}  // namespace
}  // namespace troupe
