// The forms in which a handler may take a request and answer it:
// handler_forms.h.
#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_status.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/delivery.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/actor/internal/system_testing.h"
#include "troupe/actor/reply_of.h"
#include "troupe/actor/reply_to.h"
#include "troupe/actor/request.h"
#include "troupe/actor/send_result.h"
#include "troupe/actor/task.h"
#include "troupe/testing/status_matchers.h"

namespace legacy {

// Whose type cannot be edited.
struct Query {
  int key;
};

}  // namespace legacy

template <>
struct troupe::ReplyOf<legacy::Query> {
  using type = std::string;
};

namespace troupe {
namespace {

using ::testing::Pointee;
using ::testing::SizeIs;
using ::troupe::testing::IsOk;
using ::troupe::testing::IsOkAndHolds;
using ::troupe::testing::StatusIs;

// A request whose reply is R; the number tells them apart, and is what a
// handler goes by: zero asks for a failure.
template <typename R, int n>
struct Get {
  int value;
  using Reply = R;
};

constexpr auto kDataLoss = absl::StatusCode::kDataLoss;
absl::Status Lost() { return absl::DataLossError("lost"); }

class RequestFormsTest : public internal::SystemTest {
 protected:
  std::unique_ptr<ActorSystem> system_ = MakeSystem();
};

INSTANTIATE_TEST_SUITE_P(Executors, RequestFormsTest, internal::AllExecutors());

// -- what a handler takes -----------------------------------------------------

class Takes : public Actor<Get<int, 0>, Get<int, 1>, Get<int, 2>, Get<int, 3>,
                           Get<int, 4>, Get<int, 5>, Get<int, 6>, Get<int, 7>,
                           Get<int, 8>, Get<int, 9>, Get<int, 10>> {
 public:
  int Handle(Get<int, 0> m) { return m.value; }
  int Handle(const Get<int, 1>& m) { return m.value; }
  int Handle(Get<int, 2>&& m) { return m.value; }
  int Handle(Get<int, 3> m, Request&) { return m.value; }
  int Handle(const Get<int, 4>& m, Request&) { return m.value; }
  int Handle(Get<int, 5>&& m, Request&) { return m.value; }
  void Handle(Get<int, 6> m, ReplyTo<int> reply) { reply.Send(m.value); }
  void Handle(const Get<int, 7>& m, ReplyTo<int> reply) { reply.Send(m.value); }
  void Handle(Get<int, 8>&& m, ReplyTo<int>&& reply) { reply.Send(m.value); }
  Task<int> Handle(const Get<int, 9>& m, Request&) { co_return m.value; }
  Task<void> Handle(Get<int, 10>&& m, ReplyTo<int> reply) {
    reply.Send(m.value);
    co_return;
  }
};

// All forms, and more than eight messages: those are found by search.
TEST_P(RequestFormsTest, HandlersTakeMessagesInEveryForm) {
  const auto actor = system_->Spawn<Takes>().value();
  EXPECT_THAT((actor.Call<Get<int, 0>>(10).Wait()), IsOkAndHolds(10));
  EXPECT_THAT((actor.Call<Get<int, 1>>(11).Wait()), IsOkAndHolds(11));
  EXPECT_THAT((actor.Call<Get<int, 2>>(12).Wait()), IsOkAndHolds(12));
  EXPECT_THAT((actor.Call<Get<int, 3>>(13).Wait()), IsOkAndHolds(13));
  EXPECT_THAT((actor.Call<Get<int, 4>>(14).Wait()), IsOkAndHolds(14));
  EXPECT_THAT((actor.Call<Get<int, 5>>(15).Wait()), IsOkAndHolds(15));
  EXPECT_THAT((actor.Call<Get<int, 6>>(16).Wait()), IsOkAndHolds(16));
  EXPECT_THAT((actor.Call<Get<int, 7>>(17).Wait()), IsOkAndHolds(17));
  EXPECT_THAT((actor.Call<Get<int, 8>>(18).Wait()), IsOkAndHolds(18));
  EXPECT_THAT((actor.Call<Get<int, 9>>(19).Wait()), IsOkAndHolds(19));
  EXPECT_THAT((actor.Call<Get<int, 10>>(20).Wait()), IsOkAndHolds(20));
}

// -- what a handler returns ---------------------------------------------------

// The same answers from plain functions, and from coroutines below.
class ReturnsPlainly
    : public Actor<Get<int, 0>, Get<int, 1>, Get<void, 0>, Get<void, 1>,
                   Get<absl::Status, 0>, Get<absl::StatusOr<int>, 0>,
                   Get<absl::StatusOr<int>, 1>> {
 public:
  int Handle(Get<int, 0> m) { return m.value; }
  absl::StatusOr<int> Handle(Get<int, 1> m) {
    if (m.value == 0) return Lost();
    return m.value;
  }
  void Handle(Get<void, 0>) {}
  absl::Status Handle(Get<void, 1> m) {
    return m.value == 0 ? Lost() : absl::OkStatus();
  }
  absl::Status Handle(Get<absl::Status, 0> m) {
    return m.value == 0 ? Lost() : absl::OkStatus();
  }
  absl::StatusOr<int> Handle(Get<absl::StatusOr<int>, 0> m) {
    if (m.value == 0) return Lost();
    return m.value;
  }
  int Handle(Get<absl::StatusOr<int>, 1> m) { return m.value; }
};

class ReturnsTasks
    : public Actor<Get<int, 0>, Get<int, 1>, Get<void, 0>, Get<void, 1>,
                   Get<absl::Status, 0>, Get<absl::StatusOr<int>, 0>,
                   Get<absl::StatusOr<int>, 1>> {
 public:
  Task<int> Handle(Get<int, 0> m) { co_return m.value; }
  Task<absl::StatusOr<int>> Handle(Get<int, 1> m) {
    if (m.value == 0) co_return Lost();
    co_return m.value;
  }
  Task<void> Handle(Get<void, 0>) { co_return; }
  Task<absl::Status> Handle(Get<void, 1> m) {
    co_return m.value == 0 ? Lost() : absl::OkStatus();
  }
  Task<absl::Status> Handle(Get<absl::Status, 0> m) {
    co_return m.value == 0 ? Lost() : absl::OkStatus();
  }
  Task<absl::StatusOr<int>> Handle(Get<absl::StatusOr<int>, 0> m) {
    if (m.value == 0) co_return Lost();
    co_return m.value;
  }
  Task<int> Handle(Get<absl::StatusOr<int>, 1> m) { co_return m.value; }
};

template <typename Ref>
void ExpectEveryAnswer(const Ref& actor) {
  using OrInt = absl::StatusOr<int>;
  EXPECT_THAT((actor.template Call<Get<int, 0>>(3).Wait()), IsOkAndHolds(3));
  EXPECT_THAT((actor.template Call<Get<int, 1>>(4).Wait()), IsOkAndHolds(4));
  EXPECT_THAT((actor.template Call<Get<void, 0>>(1).Wait()), IsOk());
  EXPECT_THAT((actor.template Call<Get<void, 1>>(1).Wait()), IsOk());
  EXPECT_THAT((actor.template Call<Get<absl::Status, 0>>(1).Wait()), IsOk());
  EXPECT_THAT((actor.template Call<Get<OrInt, 0>>(5).Wait()), IsOkAndHolds(5));
  EXPECT_THAT((actor.template Call<Get<OrInt, 1>>(6).Wait()), IsOkAndHolds(6));
  // §7: the status that answers a request fails nothing.
  for (const absl::Status& status :
       {(actor.template Call<Get<int, 1>>(0).Wait()).status(),
        (actor.template Call<Get<void, 1>>(0).Wait()),
        (actor.template Call<Get<absl::Status, 0>>(0).Wait()),
        (actor.template Call<Get<OrInt, 0>>(0).Wait()).status()}) {
    EXPECT_EQ(status, Lost());
    EXPECT_EQ(Delivery(status), DeliveryState::kAnswered);
  }
  EXPECT_EQ(actor.status(), ActorStatus::kRunning);
}

//
TEST_P(RequestFormsTest, PlainHandlersReturnEveryAnswer) {
  ExpectEveryAnswer(system_->Spawn<ReturnsPlainly>().value());
}
TEST_P(RequestFormsTest, TasksReturnEveryAnswer) {
  ExpectEveryAnswer(system_->Spawn<ReturnsTasks>().value());
}

// §7: nor does one whom nobody hears.
TEST_P(RequestFormsTest, SentRequestIsHandledWithoutAnAnswer) {
  const auto plain = system_->Spawn<ReturnsPlainly>().value();
  const auto tasks = system_->Spawn<ReturnsTasks>().value();
  const auto takes = system_->Spawn<Takes>().value();
  for (const int value : {0, 1}) {
    plain.Send<Get<int, 1>>(value);
    plain.SendUrgent<Get<void, 1>>(value);
    tasks.Send<Get<int, 1>>(value);
    tasks.SendUrgent<Get<absl::Status, 0>>(value);
    takes.Send<Get<int, 3>>(value);
    takes.Send<Get<int, 6>>(value);
    takes.SendUrgent<Get<int, 10>>(value);
    EXPECT_EQ(takes.TrySend(Get<int, 9>{value}), SendResult::kSent);
  }
  for (const AnyActorRef& actor :
       {AnyActorRef(plain), AnyActorRef(tasks), AnyActorRef(takes)}) {
    EXPECT_THAT(actor.DrainAndWait(), IsOkAndHolds(ExitReason::Drained()));
  }
  EXPECT_EQ(system_->dead_letters(), 0u);
}

// -- ReplyTo ------------------------------------------------------------------

class Replies : public Actor<Get<int, 0>, Get<void, 0>, Get<absl::Status, 0>,
                             Get<absl::StatusOr<int>, 0>> {
 public:
  void Handle(Get<int, 0> m, ReplyTo<int> reply) {
    if (m.value == 0) {
      reply.Send(Lost());
    } else {
      reply.Send(m.value);
    }
  }
  void Handle(Get<void, 0> m, ReplyTo<void> reply) {
    if (m.value == 0) {
      reply.Send(Lost());
    } else {
      reply.Send();
    }
  }
  void Handle(Get<absl::Status, 0> m, ReplyTo<absl::Status> reply) {
    reply.Send(m.value == 0 ? Lost() : absl::OkStatus());
  }
  void Handle(Get<absl::StatusOr<int>, 0> m,
              ReplyTo<absl::StatusOr<int>> reply) {
    if (m.value == 0) {
      reply.Send(Lost());
    } else {
      reply.Send(m.value);
    }
  }
};

TEST_P(RequestFormsTest, ReplyToGivesEveryAnswer) {
  const auto actor = system_->Spawn<Replies>().value();
  using OrInt = absl::StatusOr<int>;
  EXPECT_THAT((actor.Call<Get<int, 0>>(3).Wait()), IsOkAndHolds(3));
  EXPECT_THAT((actor.Call<Get<int, 0>>(0).Wait()), StatusIs(kDataLoss));
  EXPECT_THAT((actor.Call<Get<void, 0>>(1).Wait()), IsOk());
  EXPECT_THAT((actor.Call<Get<void, 0>>(0).Wait()), StatusIs(kDataLoss));
  EXPECT_THAT((actor.Call<Get<absl::Status, 0>>(1).Wait()), IsOk());
  EXPECT_THAT((actor.Call<Get<absl::Status, 0>>(0).Wait()),
              StatusIs(kDataLoss));
  EXPECT_THAT((actor.Call<Get<OrInt, 0>>(5).Wait()), IsOkAndHolds(5));
  EXPECT_THAT((actor.Call<Get<OrInt, 0>>(0).Wait()), StatusIs(kDataLoss));
}

// -- types of messages and replies --------------------------------------------

struct Big {
  std::vector<int> bytes;
  int64_t more[600] = {};
};
struct Swap {
  std::unique_ptr<int> value;
  using Reply = std::unique_ptr<int>;
};
struct Grow {
  using Reply = Big;
};
struct Shrink {
  Big big;
  using Reply = char;
};
struct alignas(16) Aligned {
  int value;
  using Reply = Aligned;
};

class Types : public Actor<Swap, Grow, Shrink, Aligned, legacy::Query> {
 public:
  std::unique_ptr<int> Handle(Swap m) { return std::move(m.value); }
  Big Handle(Grow) { return Big{.bytes = std::vector<int>(7, 1)}; }
  Task<char> Handle(Shrink m) {
    co_return static_cast<char>(m.big.bytes.size());
  }
  Aligned Handle(Aligned m) {
    EXPECT_EQ(reinterpret_cast<uintptr_t>(&m) % 16, 0u);
    return m;
  }
  std::string Handle(legacy::Query m) { return std::string(m.key, 'x'); }
};

// In the request's memory, where a reply fits there, or in its own.
TEST_P(RequestFormsTest, RepliesMayBeOfAnySize) {
  const auto actor = system_->Spawn<Types>().value();
  EXPECT_THAT(actor.Call<Swap>(std::make_unique<int>(4)).Wait(),
              IsOkAndHolds(Pointee(4)));
  const absl::StatusOr<Big> big = actor.Call<Grow>().Wait();
  ASSERT_THAT(big, IsOk());
  EXPECT_THAT(big->bytes, SizeIs(7));
  const Big nine{.bytes = std::vector<int>(9)};
  EXPECT_THAT(actor.Call<Shrink>(nine).Wait(), IsOkAndHolds(9));
  const absl::StatusOr<Aligned> aligned = actor.Call<Aligned>(5).Wait();
  ASSERT_THAT(aligned, IsOk());
  EXPECT_EQ(reinterpret_cast<uintptr_t>(&*aligned) % 16, 0u);
  EXPECT_EQ(aligned->value, 5);
}

// What cannot be edited may have an answer, too.
TEST_P(RequestFormsTest, SpecializationNamesTheReply) {
  static_assert(
      std::is_same_v<OutcomeOf<legacy::Query>, absl::StatusOr<std::string>>);
  const auto actor = system_->Spawn<Types>().value();
  EXPECT_THAT(actor.Call<legacy::Query>(3).Wait(), IsOkAndHolds("xxx"));
}

}  // namespace
}  // namespace troupe
