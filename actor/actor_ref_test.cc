#include "troupe/actor/actor_ref.h"

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/hash/hash.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_status.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/adapted_ref.h"
#include "troupe/actor/events.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/actor/protocol.h"
#include "troupe/actor/send_result.h"
#include "troupe/mailbox/message_type.h"
#include "troupe/scheduler/deterministic_executor.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::troupe::testing::IsOkAndHolds;
using ::troupe::testing::StatusIs;

class ActorRefTest : public ::testing::TestWithParam<uint64_t> {
 protected:
  static std::unique_ptr<ActorSystem> MakeSystem() {
    return ActorSystem::CreateOn(
        std::make_unique<DeterministicExecutor>(
            DeterministicExecutor::Options{.seed = GetParam()}),
        {});
  }
};

INSTANTIATE_TEST_SUITE_P(Seeds, ActorRefTest, ::testing::Values(1, 2, 3));

struct Put {
  int value;
};
struct Note {
  std::string text;
};
struct Unknown {};
struct StoreApi : Protocol<Put, Note> {};

class Store : public Actor<StoreApi> {
 public:
  explicit Store(std::vector<std::string>& seen) : seen_(seen) {}
  void Handle(Put m) { seen_.push_back(std::to_string(m.value)); }
  void Handle(const Note& m) { seen_.push_back(m.text); }

 private:
  std::vector<std::string>& seen_;
};

static_assert(std::is_convertible_v<ActorRef<StoreApi>, ActorRef<Put>>);
static_assert(std::is_convertible_v<ActorRef<StoreApi>, ActorRef<Note, Put>>);
static_assert(!std::is_convertible_v<ActorRef<Put>, ActorRef<StoreApi>>);
static_assert(!std::is_convertible_v<ActorRef<StoreApi>, ActorRef<Unknown>>);
static_assert(!std::is_convertible_v<AnyActorRef, ActorRef<Put>>);
static_assert(std::is_trivially_copyable_v<ActorRef<StoreApi>>);

// A reference to a subset of the messages reaches the same actor.
TEST_P(ActorRefTest, ConvertsToSubsets) {
  std::vector<std::string> seen;
  std::unique_ptr<ActorSystem> system = MakeSystem();
  Store::Ref store = system->Spawn<Store>(seen).value();
  ActorRef<Put> puts = store;
  ActorRef<Note, Put> both = store;
  puts.Send<Put>(1);
  both.Send(Note{"two"});
  EXPECT_EQ(puts, store);
  EXPECT_TRUE(store.DrainAndWait().ok());
  EXPECT_THAT(seen, ElementsAre("1", "two"));
}

// an untyped reference is checked before it gets messages;
// the actor does not notice a wrong guess.
// How an error lists two messages.
template <typename M, typename N>
std::string Listed() {
  std::string listed = "{";
  listed.append(kMessageType<M>.name).append(", ");
  return listed.append(kMessageType<N>.name).append("}");
}

TEST_P(ActorRefTest, AsChecksTheMessages) {
  std::vector<std::string> seen;
  std::unique_ptr<ActorSystem> system = MakeSystem();
  AnyActorRef any = system->Spawn<Store>(seen).value();
  EXPECT_THAT(any.As<Unknown>(), StatusIs(absl::StatusCode::kFailedPrecondition,
                                          HasSubstr("Unknown")));
  EXPECT_THAT((any.As<Put, Unknown>()),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr("Store, does not take the message "),
                             HasSubstr(Listed<Put, Unknown>() + "; it takes " +
                                       Listed<Put, Note>()))));
  EXPECT_EQ(any.status(), ActorStatus::kRunning);
  any.As<StoreApi>().value().Send<Put>(1);
  any.As<Note>().value().Send<Note>("two");
  EXPECT_TRUE(any.DrainAndWait().ok());
  EXPECT_THAT(seen, ElementsAre("1", "two"));
  EXPECT_THAT(any.As<Put>(),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("not exist")));
  EXPECT_THAT(AnyActorRef().As<Put>(),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("no actor")));
}

struct Parcel {
  std::unique_ptr<int> content;
};

class Receiver : public Actor<Parcel> {
 public:
  explicit Receiver(std::vector<int>& seen) : seen_(seen) {}
  void Handle(Parcel&& m) { seen_.push_back(*m.content); }

 private:
  std::vector<int>& seen_;
};

// a refused message stays with the sender.
TEST_P(ActorRefTest, TrySendLeavesARefusedMessageWithTheSender) {
  std::vector<int> seen;
  std::unique_ptr<ActorSystem> system = MakeSystem();
  Receiver::Ref receiver = system->Spawn<Receiver>(seen).value();
  Parcel parcel{std::make_unique<int>(7)};
  EXPECT_EQ(ActorRef<Parcel>().TrySend(std::move(parcel)),
            SendResult::kNoActor);
  ASSERT_NE(parcel.content, nullptr);
  EXPECT_EQ(receiver.TrySend(std::move(parcel)), SendResult::kSent);
  parcel.content = std::make_unique<int>(8);
  receiver.Drain();
  EXPECT_EQ(receiver.TrySend(std::move(parcel)), SendResult::kStopped);
  EXPECT_TRUE(receiver.Wait().ok());
  EXPECT_EQ(receiver.TrySend(std::move(parcel)), SendResult::kNoActor);
  ASSERT_NE(parcel.content, nullptr);
  EXPECT_EQ(*parcel.content, 8);
  EXPECT_THAT(seen, ElementsAre(7));
  EXPECT_EQ(system->dead_letters(), 0u);  // §21.
}

// From some move on, each throws. Knows its live ones, and not only how many:
// one that is destroyed twice would make up for one that leaks.
class Skittish {
 public:
  using Living = std::set<const Skittish*>;

  Skittish(Living& living, int moves) : living_(living), moves_(moves) {
    living_.insert(this);
  }
  Skittish(Skittish&& other)
      : living_(other.living_), moves_(other.moves_ - 1) {
    if (other.moves_ == 0) throw std::runtime_error("moved");
    living_.insert(this);
  }
  Skittish& operator=(Skittish&& other) {
    if (other.moves_ == 0) throw std::runtime_error("moved");
    moves_ = other.moves_ - 1;
    return *this;
  }
  ~Skittish() { EXPECT_EQ(living_.erase(this), 1u); }

  int moves() const { return moves_; }

 private:
  Living& living_;
  int moves_;
};

// §20, §21: each object is destroyed once, whichever move throws.
TEST(TrySendTest, ThrowingMoveReachesTheSender) {
  Skittish::Living living;
  for (const int moves : {0, 1}) {
    Skittish message(living, moves);
    EXPECT_THROW((void)ActorRef<Skittish>().TrySend(std::move(message)),
                 std::runtime_error);
    EXPECT_THAT(living, ElementsAre(&message));
  }
  EXPECT_THAT(living, IsEmpty());
  {
    Skittish message(living, 2);
    EXPECT_EQ(ActorRef<Skittish>().TrySend(std::move(message)),
              SendResult::kNoActor);
    EXPECT_EQ(message.moves(), 0);
    EXPECT_THAT(living, ElementsAre(&message));
  }
  EXPECT_THAT(living, IsEmpty());
}

// §2: a reference to nobody is harmless.
TEST(NullActorRefTest, IsHarmless) {
  const ActorRef<Put> null;
  EXPECT_TRUE(null.IsNull());
  EXPECT_EQ(null.status(), ActorStatus::kStopped);
  null.Send<Put>(1);
  null.SendUrgent<Put>(1);
  null.Stop();
  null.Kill();
  null.Drain();
  EXPECT_THAT(null.Wait(), IsOkAndHolds(ExitReason::NoActor()));
  EXPECT_EQ(null, AnyActorRef());
}

// §3: a reference may outlive its system.
TEST_P(ActorRefTest, MayOutliveItsSystem) {
  std::vector<std::string> seen;
  std::unique_ptr<ActorSystem> system = MakeSystem();
  const Store::Ref store = system->Spawn<Store>(seen).value();
  system.reset();
  store.Send<Put>(1);
  EXPECT_EQ(store.TrySend(Put{1}), SendResult::kNoActor);
  store.Stop();
  store.Kill();
  EXPECT_EQ(store.status(), ActorStatus::kStopped);
  EXPECT_THAT(store.Wait(), IsOkAndHolds(ExitReason::NoActor()));
  EXPECT_THAT(store.As<Put>(),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("not exist")));
  EXPECT_THAT(seen, IsEmpty());
}

// §1, §2: a reference to an actor that ended never reaches one that lives in
// the same memory, whatever is asked of it.
TEST_P(ActorRefTest, StaleReferenceReachesNoSuccessor) {
  std::vector<std::string> seen;
  std::unique_ptr<ActorSystem> system = MakeSystem();
  const Store::Ref old = system->Spawn<Store>(seen).value();
  ASSERT_TRUE(old.KillAndWait().ok());
  Store::Ref successor;
  bool reused = false;
  for (int i = 0; i < 1000 && !reused; ++i) {
    successor = system->Spawn<Store>(seen).value();
    reused = successor.cell() == old.cell();
  }
  ASSERT_TRUE(reused);
  EXPECT_NE(successor, old);
  old.Send<Put>(1);
  old.SendUrgent<Put>(1);
  EXPECT_EQ(old.TrySend(Put{1}), SendResult::kNoActor);
  old.Drain();
  old.Stop();
  old.Kill();
  EXPECT_EQ(old.status(), ActorStatus::kStopped);
  EXPECT_THAT(old.Wait(), IsOkAndHolds(ExitReason::NoActor()));
  EXPECT_EQ(successor.TrySend(Put{2}), SendResult::kSent);
  EXPECT_THAT(successor.DrainAndWait(), IsOkAndHolds(ExitReason::Drained()));
  EXPECT_THAT(seen, ElementsAre("2"));
}

// adapted references convert, and deliver in order.
TEST_P(ActorRefTest, AdaptConvertsOnTheWay) {
  std::vector<std::string> seen;
  std::unique_ptr<ActorSystem> system = MakeSystem();
  Store::Ref store = system->Spawn<Store>(seen).value();
  AdaptedRef<int8_t> small =
      store.Adapt<int8_t>([](const int8_t& value) { return Put{value}; });
  AdaptedRef<std::string> text = store.Adapt<std::string>(
      [](const std::string& value) { return Note{"<" + value + ">"}; });
  small.Send(int8_t{1});
  text.Send("two");
  EXPECT_EQ(small.TrySend(3), SendResult::kSent);
  EXPECT_EQ(text.target(), store);
  EXPECT_TRUE(store.DrainAndWait().ok());
  EXPECT_THAT(seen, ElementsAre("1", "<two>", "3"));
  EXPECT_EQ(small.TrySend(4), SendResult::kNoActor);
  EXPECT_EQ(AdaptedRef<int>().TrySend(4), SendResult::kNoActor);
  EXPECT_TRUE(AdaptedRef<int>().target().IsNull());
  small.Send(int8_t{5});
  EXPECT_EQ(system->dead_letters(), 1u);
}

// §2: equality and hash by identity.
TEST_P(ActorRefTest, EqualityAndHashAreByIdentity) {
  std::vector<std::string> seen;
  std::unique_ptr<ActorSystem> system = MakeSystem();
  const Store::Ref a = system->Spawn<Store>(seen).value();
  const Store::Ref b = system->Spawn<Store>(seen).value();
  const AnyActorRef any = a;
  EXPECT_EQ(any, a);
  EXPECT_NE(a, b);
  EXPECT_NE(a.id(), b.id());
  EXPECT_EQ(absl::Hash<AnyActorRef>()(any), absl::Hash<AnyActorRef>()(a));
  EXPECT_NE(absl::Hash<AnyActorRef>()(a), absl::Hash<AnyActorRef>()(b));
}

// §17: urgent messages overtake, and stay in order among themselves.
TEST_P(ActorRefTest, UrgentMessagesKeepTheirOrder) {
  std::vector<std::string> seen;
  std::unique_ptr<ActorSystem> system = MakeSystem();
  Store::Ref store = system->Spawn<Store>(seen).value();
  for (int i = 0; i < 3; ++i) {
    store.Send<Put>(i);
    store.SendUrgent<Put>(10 + i);
  }
  EXPECT_TRUE(store.DrainAndWait().ok());
  EXPECT_THAT(seen, ElementsAre("10", "11", "12", "0", "1", "2"));
}

struct alignas(64) Aligned {
  uint64_t value;
};
struct Large {
  std::array<char, 10'000> bytes;
};
struct Fussy {
  explicit Fussy(bool fail) {
    if (fail) throw std::runtime_error("boom");
  }
};

class Shapes : public Actor<Aligned, Large, Fussy> {
 public:
  explicit Shapes(std::vector<std::string>& seen) : seen_(seen) {}
  void Handle(const Aligned& m) {
    EXPECT_EQ(reinterpret_cast<uintptr_t>(&m) % 64, 0u);
    seen_.push_back("aligned " + std::to_string(m.value));
  }
  void Handle(const Large& m) {
    seen_.push_back(std::string("large ") + m.bytes.front() + m.bytes.back());
  }
  void Handle(Fussy&&) { seen_.push_back("fussy"); }

 private:
  std::vector<std::string>& seen_;
};

// §20: messages of any size and alignment; what a constructor throws is its
// sender's, and nothing is sent.
TEST_P(ActorRefTest, CarriesMessagesOfEveryShape) {
  std::vector<std::string> seen;
  std::unique_ptr<ActorSystem> system = MakeSystem();
  Shapes::Ref shapes = system->Spawn<Shapes>(seen).value();
  Large large{};
  large.bytes.front() = 'a';
  large.bytes.back() = 'z';
  shapes.Send<Aligned>(7u);
  shapes.Send<Large>(large);
  EXPECT_THROW(shapes.Send<Fussy>(true), std::runtime_error);
  EXPECT_THROW(shapes.SendUrgent<Fussy>(true), std::runtime_error);
  shapes.Send<Fussy>(false);
  EXPECT_TRUE(shapes.DrainAndWait().ok());
  EXPECT_THAT(seen, ElementsAre("aligned 7", "large az", "fussy"));
}

// Counts its instances, and cannot be moved twice.
struct Delicate {
  explicit Delicate(int& alive) : alive_instances(&alive) {
    ++*alive_instances;
  }
  Delicate(Delicate&& other) : alive_instances(other.alive_instances) {
    throw std::runtime_error("moved");
  }
  ~Delicate() { --*alive_instances; }
  int* alive_instances;
};

class TakesByValue : public Actor<Delicate> {
 public:
  void Handle(Delicate) { ADD_FAILURE() << "handled without its parameter"; }
};

class TakesByReference : public Actor<Delicate> {
 public:
  explicit TakesByReference(int& seen) : seen_(seen) {}
  void Handle(const Delicate&) { ++seen_; }

 private:
  int& seen_;
};

// §20: a move that throws into a handler's parameter is that handler's throw;
// who takes a reference needs no move.
TEST_P(ActorRefTest, ThrowingMoveIsTheHandlersThrow) {
  int alive = 0;
  int seen = 0;
  std::string failure;
  std::unique_ptr<ActorSystem> system = MakeSystem();
  Subscription ended =
      system->Subscribe<ActorEnded>([&failure](const ActorEnded& event) {
        absl::StrAppend(&failure, event.reason.status().message());
      });
  TakesByReference::Ref by_reference =
      system->Spawn<TakesByReference>(seen).value();
  TakesByValue::Ref by_value = system->Spawn<TakesByValue>().value();
  by_reference.Send<Delicate>(alive);
  by_value.Send<Delicate>(alive);
  by_value.Send<Delicate>(alive);
  EXPECT_EQ(alive, 3);
  EXPECT_TRUE(by_reference.DrainAndWait().ok());
  EXPECT_EQ(seen, 1);
  EXPECT_TRUE(system->AwaitNoActors());
  EXPECT_EQ(failure, "exception: moved");
  EXPECT_EQ(alive, 0);
  EXPECT_EQ(system->dead_letters(), 1u);
}

class alignas(256) Huge : public Actor<Put> {
 public:
  explicit Huge(std::vector<int>& seen) : seen_(seen) {
    EXPECT_EQ(reinterpret_cast<uintptr_t>(this) % 256, 0u);
  }
  ~Huge() { seen_.push_back(memory_.back()); }
  void Handle(Put m) { memory_.fill(m.value); }

 private:
  std::vector<int>& seen_;
  std::array<int, 25'000> memory_ = {};
};

// An actor may be larger than a cell, and aligned as it likes.
TEST_P(ActorRefTest, ActorsMayBeLargeAndOverAligned) {
  std::vector<int> seen;
  std::unique_ptr<ActorSystem> system = MakeSystem();
  Huge::Ref huge = system->Spawn<Huge>(seen).value();
  huge.Send<Put>(7);
  EXPECT_TRUE(huge.DrainAndWait().ok());
  EXPECT_THAT(seen, ElementsAre(7));
}

template <int kNumber>
struct Numbered {};

// Twelve messages: beyond what is compared one by one.
class Many
    : public Actor<Numbered<0>, Numbered<1>, Numbered<2>, Numbered<3>,
                   Numbered<4>, Numbered<5>, Numbered<6>, Numbered<7>,
                   Numbered<8>, Numbered<9>, Numbered<10>, Numbered<11>> {
 public:
  explicit Many(std::vector<int>& seen) : seen_(seen) {}
  void Handle(Numbered<0>) { seen_.push_back(0); }
  void Handle(Numbered<1>) { seen_.push_back(1); }
  void Handle(Numbered<2>) { seen_.push_back(2); }
  void Handle(Numbered<3>) { seen_.push_back(3); }
  void Handle(Numbered<4>) { seen_.push_back(4); }
  void Handle(Numbered<5>) { seen_.push_back(5); }
  void Handle(Numbered<6>) { seen_.push_back(6); }
  void Handle(Numbered<7>) { seen_.push_back(7); }
  void Handle(Numbered<8>) { seen_.push_back(8); }
  void Handle(Numbered<9>) { seen_.push_back(9); }
  void Handle(Numbered<10>) { seen_.push_back(10); }
  void Handle(Numbered<11>) { seen_.push_back(11); }

 private:
  std::vector<int>& seen_;
};

TEST_P(ActorRefTest, ManyMessageTypesReachTheirHandlers) {
  std::vector<int> seen;
  std::unique_ptr<ActorSystem> system = MakeSystem();
  Many::Ref many = system->Spawn<Many>(seen).value();
  [&]<int... kNumbers>(std::integer_sequence<int, kNumbers...>) {
    (many.Send<Numbered<11 - kNumbers>>(), ...);
  }
  (std::make_integer_sequence<int, 12>());
  EXPECT_TRUE(many.DrainAndWait().ok());
  EXPECT_THAT(seen, ElementsAre(11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0));
}

}  // namespace
}  // namespace troupe
