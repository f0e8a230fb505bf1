// Messages that several actors share: clauses 18, 20 and 21 of
// docs/semantics.md hold for them, too.
#include "troupe/actor/internal/shared_message.h"

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_status.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/events.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/actor/internal/bounded_mailbox.h"
#include "troupe/actor/internal/call_testing.h"
#include "troupe/actor/internal/cell.h"
#include "troupe/actor/internal/shared_payload.h"
#include "troupe/actor/send_result.h"
#include "troupe/actor/sleep.h"
#include "troupe/actor/spawn_options.h"
#include "troupe/actor/stash.h"
#include "troupe/actor/task.h"
#include "troupe/mailbox/capacity.h"
#include "troupe/mailbox/envelope.h"
#include "troupe/mailbox/mailbox.h"
#include "troupe/mailbox/message_type.h"
#include "troupe/scheduler/runnable.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;
using ::troupe::internal::Do;
using ::troupe::internal::Gate;
using ::troupe::internal::Open;
using ::troupe::internal::Pass;
using ::troupe::internal::SendShared;
using ::troupe::internal::SendSharedUrgent;
using ::troupe::internal::SharedMessage;
using ::troupe::internal::SharedSender;
using ::troupe::internal::TrySendShared;
using ::troupe::testing::IsOk;
using ::troupe::testing::StatusIs;

// Counts how many there are, and how many were made by copying.
struct Counts {
  int living = 0;
  int copies = 0;
};
struct News {
  News(std::string its_text, Counts& its_counts)
      : text(std::move(its_text)), counts(&its_counts) {
    ++counts->living;
  }
  News(const News& other) : text(other.text), counts(other.counts) {
    if (text == "secret") throw std::runtime_error("not to be copied");
    ++counts->living;
    ++counts->copies;
  }
  News(News&& other) : text(std::move(other.text)), counts(other.counts) {
    ++counts->living;
  }
  ~News() { --counts->living; }

  std::string text;
  Counts* counts;
};

struct Seen {
  std::vector<std::string> texts;
  std::vector<const News*> places;
};

class Reads : public Actor<News> {
 public:
  explicit Reads(Seen& seen) : seen_(seen) {}
  void Handle(const News& m) {
    seen_.texts.push_back(m.text);
    seen_.places.push_back(&m);
  }

 private:
  Seen& seen_;
};

// Read in place also by a const function beside others.
class ReadsConst : public Actor<News, Open> {
 public:
  explicit ReadsConst(Seen& seen) : seen_(seen) {}
  absl::Status Handle(const News& m) const {
    seen_.texts.push_back(m.text);
    return m.text == "bad" ? absl::DataLossError("bad") : absl::OkStatus();
  }
  void Handle(Open) {}

 private:
  Seen& seen_;
};

class Takes : public Actor<News> {
 public:
  explicit Takes(Seen& seen) : seen_(seen) {}
  void Handle(News m) { seen_.texts.push_back(std::move(m.text)); }

 private:
  Seen& seen_;
};

class TakesInPlace : public Actor<News> {
 public:
  explicit TakesInPlace(Seen& seen) : seen_(seen) {}
  void Handle(News&& m) { seen_.texts.push_back(std::move(m.text)); }

 private:
  Seen& seen_;
};

class Waits : public Actor<News> {
 public:
  Waits(Seen& seen, Gate::Ref gate) : seen_(seen), gate_(gate) {}
  Task<void> Handle(const News& m) {
    EXPECT_TRUE((co_await gate_.Call<Pass>()).ok());
    seen_.texts.push_back(m.text);
  }

 private:
  Seen& seen_;
  const Gate::Ref gate_;
};

class WaitsWithItsOwn : public Actor<News> {
 public:
  WaitsWithItsOwn(Seen& seen, Gate::Ref gate) : seen_(seen), gate_(gate) {}
  Task<void> Handle(News&& m) {
    EXPECT_TRUE((co_await gate_.Call<Pass>()).ok());
    seen_.texts.push_back(std::move(m.text));
  }

 private:
  Seen& seen_;
  const Gate::Ref gate_;
};

class Interleaves : public Waits {
 public:
  using Interleaved = Protocol<News>;
  using Waits::Waits;
};

// A source that lets everything pass.
class OpenSource final : public internal::MessageSource {
 public:
  internal::SharedBody Arrive(internal::SharedBody body) override {
    return body;
  }
  uint32_t Lose() override { return 1; }
};

// As a thread that does not own the actor.
void PushAsStranger(internal::Cell& cell, const SharedMessage<News>& news,
                    internal::MessageSource& source, uint32_t place) {
  Envelope* const envelope = internal::MakeSourceEnvelope(
      internal::kSharedMessageType<News>, news.body(), source);
  internal::SharedContentOf(*envelope).place = place;
  envelope->target = cell.target();
  const PushResult result = cell.Push(cell.Load(), envelope);
  EXPECT_NE(result, PushResult::kClosed);
  if (result == PushResult::kMustWake) WakeOwner(cell);
}

class SharedMessageTest : public internal::CallsTest {
 protected:
  SharedMessageTest()
      : letters_subscription_(
            system_->Subscribe<DeadLetter>([this](const DeadLetter& letter) {
              letters_.emplace_back(letter.message_type);
              reasons_.push_back(letter.reason);
            })) {}

  SharedMessage<News> Make(std::string text) {
    return SharedMessage<News>::Make(std::move(text), counts_);
  }
  template <typename A, typename... Args>
  typename A::Ref SpawnWith(Args&&... args) {
    return system_->Spawn<A>(std::forward<Args>(args)...).value();
  }

  Counts counts_;
  Seen seen_;
  std::vector<std::string> letters_;
  std::vector<DeadLetter::Reason> reasons_;
  Subscription letters_subscription_;  // Last: the first to go.
};

INSTANTIATE_TEST_SUITE_P(Seeds, SharedMessageTest, internal::SomeSeeds());

// §20: one message, whatever the number of its receivers.
TEST_P(SharedMessageTest, ThousandReadersReadTheSameOne) {
  std::vector<ActorRef<News>> readers;
  for (int i = 0; i < 1000; ++i) readers.push_back(SpawnWith<Reads>(seen_));
  {
    const SharedMessage<News> news = Make("rain");
    SharedSender<News> sender(news, 1001);  // One is not sent to.
    for (const ActorRef<News>& reader : readers) sender.Send(reader);
    executor_->RunUntilIdle();
    EXPECT_THAT(seen_.texts, SizeIs(1000));
    EXPECT_THAT(seen_.places, Each(&*news));
    EXPECT_EQ(counts_.living, 1);
  }
  EXPECT_EQ(counts_.copies, 0);
  EXPECT_EQ(counts_.living, 0);
}

TEST_P(SharedMessageTest, LastReceiverDestroysIt) {
  const auto reader = SpawnWith<Reads>(seen_);
  SendShared(reader, Make("rain"));
  EXPECT_EQ(counts_.living, 1);
  executor_->RunUntilIdle();
  EXPECT_THAT(seen_.texts, ElementsAre("rain"));
  EXPECT_EQ(counts_.living, 0);
}

// §20: who takes it over gets one of its own, and spoils nobody's.
TEST_P(SharedMessageTest, WhoTakesItGetsACopy) {
  const SharedMessage<News> news = Make("rain");
  SendShared(SpawnWith<Takes>(seen_), news);
  SendShared(SpawnWith<TakesInPlace>(seen_), news);
  SendShared(SpawnWith<Reads>(seen_), news);
  executor_->RunUntilIdle();
  EXPECT_THAT(seen_.texts, ElementsAre("rain", "rain", "rain"));
  EXPECT_EQ(news->text, "rain");
  EXPECT_EQ(counts_.copies, 2);
  EXPECT_EQ(counts_.living, 1);
}

// §7: what copying throws is the handler's throw.
TEST_P(SharedMessageTest, CopyThatThrowsFailsItsReceiver) {
  ExitReason reason;
  const Subscription ended = system_->Subscribe<ActorEnded>(
      [&](const ActorEnded& event) { reason = event.reason; });
  SendShared(SpawnWith<Takes>(seen_), Make("secret"));
  const auto reader = SpawnWith<Reads>(seen_);
  SendShared(reader, Make("secret"));
  executor_->RunUntilIdle();
  EXPECT_THAT(reason.status(),
              StatusIs(absl::StatusCode::kUnknown, HasSubstr("not to be")));
  EXPECT_THAT(seen_.texts, ElementsAre("secret"));
  EXPECT_EQ(counts_.living, 0);
}

// §7.
TEST_P(SharedMessageTest, StatusOfItsHandlerFailsTheActor) {
  const auto reader = SpawnWith<ReadsConst>(seen_);
  SendShared(reader, Make("good"));
  SendShared(reader, Make("bad"));
  SendShared(reader, Make("late"));
  executor_->RunUntilIdle();
  EXPECT_THAT(seen_.texts, ElementsAre("good", "bad"));
  EXPECT_EQ(counts_.copies, 0);
  EXPECT_EQ(counts_.living, 0);
}

TEST_P(SharedMessageTest, LivesUntilTheCoroutineIsDone) {
  const auto gate = Spawn<Gate>();
  SendShared(SpawnWith<Waits>(seen_, gate), Make("rain"));
  SendShared(SpawnWith<WaitsWithItsOwn>(seen_, gate), Make("wind"));
  executor_->RunUntilIdle();
  EXPECT_THAT(seen_.texts, IsEmpty());
  EXPECT_EQ(counts_.living, 2);
  EXPECT_EQ(counts_.copies, 1);
  gate.Send<Open>();
  executor_->RunUntilIdle();
  EXPECT_THAT(seen_.texts, UnorderedElementsAre("rain", "wind"));
  EXPECT_EQ(counts_.living, 0);
}

TEST_P(SharedMessageTest, DestroyedCoroutineLetsGoOfIt) {
  const auto waits = SpawnWith<Waits>(seen_, Spawn<Gate>());
  SendShared(waits, Make("rain"));
  executor_->RunUntilIdle();
  EXPECT_EQ(counts_.living, 1);
  waits.Kill();
  executor_->RunUntilIdle();
  EXPECT_EQ(counts_.living, 0);
}

// §19: an actor may handle several beside each other.
TEST_P(SharedMessageTest, InterleavedHandlersShareIt) {
  const auto gate = Spawn<Gate>();
  const auto actor = SpawnWith<Interleaves>(seen_, gate);
  const SharedMessage<News> news = Make("rain");
  for (int i = 0; i < 3; ++i) SendShared(actor, news);
  executor_->RunUntilIdle();
  gate.Send<Open>();
  executor_->RunUntilIdle();
  EXPECT_THAT(seen_.texts, ElementsAre("rain", "rain", "rain"));
}

// §17.
TEST_P(SharedMessageTest, KeepsTheOrderOfItsSender) {
  const auto reader = SpawnWith<Reads>(seen_);
  reader.Send<News>("1", counts_);
  SendShared(reader, Make("2"));
  reader.Send<News>("3", counts_);
  SendSharedUrgent(reader, Make("urgent"));
  executor_->RunUntilIdle();
  EXPECT_THAT(seen_.texts, ElementsAre("urgent", "1", "2", "3"));
}

// §18: by its own name.
TEST_P(SharedMessageTest, BecomesADeadLetterByItsName) {
  const auto reader = SpawnWith<Reads>(seen_);
  SendShared(reader, Make("rain"));
  reader.Kill();
  executor_->RunUntilIdle();
  SendShared(reader, Make("wind"));
  SendSharedUrgent(reader, Make("storm"));
  SendShared(ActorRef<News>(), Make("snow"));
  EXPECT_EQ(TrySendShared(reader, Make("hail")), SendResult::kNoActor);
  EXPECT_THAT(letters_,
              AllOf(SizeIs(3), Each(std::string(kMessageType<News>.name))));
  EXPECT_THAT(reasons_, ElementsAre(DeadLetter::Reason::kStopped,
                                    DeadLetter::Reason::kNoActor,
                                    DeadLetter::Reason::kNoActor));
  EXPECT_EQ(system_->dead_letters(), 3u);
  EXPECT_EQ(counts_.living, 0);
}

// §21.
TEST_P(SharedMessageTest, BoundedMailboxCountsIt) {
  SpawnOptions options;
  options.mailbox = {.messages = 2, .policy = OverflowPolicy::kDropOldest};
  const auto drops = system_->Spawn<Reads>(options, seen_).value();
  options.mailbox.policy = OverflowPolicy::kReject;
  const auto rejects = system_->Spawn<Reads>(options, seen_).value();
  for (const char* text : {"1", "2", "3"}) SendShared(drops, Make(text));
  EXPECT_EQ(TrySendShared(rejects, Make("4")), SendResult::kSent);
  EXPECT_EQ(TrySendShared(rejects, Make("5")), SendResult::kSent);
  EXPECT_EQ(TrySendShared(rejects, Make("6")), SendResult::kMailboxFull);
  EXPECT_THAT(reasons_, ElementsAre(DeadLetter::Reason::kMailboxFull));
  executor_->RunUntilIdle();
  EXPECT_THAT(seen_.texts, UnorderedElementsAre("2", "3", "4", "5"));
  EXPECT_EQ(counts_.living, 0);
}

// §36: what is set aside is the handler's own.
TEST_P(SharedMessageTest, CanBeSetAside) {
  class Late : public Actor<News, Open> {
   public:
    explicit Late(Seen& seen) : seen_(seen) {}
    void Handle(News&& m) {
      if (open_) return seen_.texts.push_back(m.text);
      EXPECT_THAT(stash_.Put(std::move(m)), IsOk());
    }
    void Handle(Open) {
      open_ = true;
      stash_.Unstash();
    }

   private:
    Seen& seen_;
    Stash<News> stash_{this, 10};
    bool open_ = false;
  };
  const auto late = SpawnWith<Late>(seen_);
  const SharedMessage<News> news = Make("rain");
  SendShared(late, news);
  SendShared(late, news);
  late.Send<Open>();
  executor_->RunUntilIdle();
  EXPECT_THAT(seen_.texts, ElementsAre("rain", "rain"));
  EXPECT_EQ(counts_.living, 1);
}

template <int>
struct Other {};
template <int>
struct Question {
  using Reply = int;
};

// §20: also where messages are looked for in a table.
TEST_P(SharedMessageTest, IsFoundAmongManyMessages) {
  class Many : public Actor<Other<1>, Question<1>, News, Other<2>, Question<2>,
                            Other<3>, Question<3>, Other<4>, std::string> {
   public:
    explicit Many(Seen& seen) : seen_(seen) {}
    void Handle(const News& m) { seen_.texts.push_back(m.text); }
    void Handle(std::string m) { seen_.texts.push_back(m); }
    void Handle(Other<1>) {}
    void Handle(Other<2>) {}
    void Handle(Other<3>) {}
    void Handle(Other<4>) {}
    int Handle(Question<1>) { return 1; }
    int Handle(Question<2>) { return 2; }
    int Handle(Question<3>) { return 3; }

   private:
    Seen& seen_;
  };
  const auto many = SpawnWith<Many>(seen_);
  many.Send<News>("own", counts_);
  SendShared(many, Make("shared"));
  SendShared<std::string>(many, SharedMessage<std::string>::Make("text"));
  executor_->RunUntilIdle();
  EXPECT_THAT(seen_.texts, ElementsAre("own", "shared", "text"));
}

// Messages of a source have the place beside the queue of a bounded mailbox
// that was theirs when they were sent, also if they are pushed in another
// order.
TEST_P(SharedMessageTest, PlaceBesideTheQueueIsThatOfItsSend) {
  SpawnOptions options;
  options.mailbox = {.messages = 10, .policy = OverflowPolicy::kReject};
  const auto reader = system_->Spawn<Reads>(options, seen_).value();
  executor_->RunUntilIdle();
  for (const char* text : {"1", "2", "3"}) reader.Send<News>(text, counts_);
  OpenSource source;
  const auto push = [&](const char* text, uint32_t place) {
    // The queue counts on from an actor to the next.
    const uint64_t left = reader.cell()->bounded()->queue.left();
    PushAsStranger(*reader.cell(), Make(text), source,
                   static_cast<uint32_t>(left) + place);
  };
  push("behind 3", 3);
  push("behind 1", 1);
  push("behind 2", 2);
  push("behind 1 too", 1);
  executor_->RunUntilIdle();
  EXPECT_THAT(seen_.texts, ElementsAre("1", "behind 1", "behind 1 too", "2",
                                       "behind 2", "3", "behind 3"));
}

// What has been pushed is found when the end has begun: it keeps nobody busy
// until that is over.
TEST_P(SharedMessageTest, WhatIsFoundAtTheEndWaitsForNothing) {
  struct Rest {};
  class LateChild : public Actor<Rest> {
   public:
    void Handle(Rest) {}
    Task<void> PostStop(const ExitReason&) {
      (void)co_await Sleep(absl::Seconds(1));
    }
  };
  class Parent : public Actor<News, Do> {
   public:
    void PreStart() { ASSERT_TRUE(Spawn<LateChild>().ok()); }
    void Handle(const News&) {}
    void Handle(Do&& m) {
      m.body();
      StopSelf();
    }
  };
  OpenSource source;
  const auto parent = SpawnWith<Parent>();
  executor_->RunUntilIdle();
  parent.Send<Do>(
      [&] { PushAsStranger(*parent.cell(), Make("rain"), source, 0); });
  int steps = 0;
  while (executor_->Step() && steps < 1000) ++steps;
  EXPECT_LT(steps, 1000);
  executor_->RunFor(absl::Seconds(2));
  EXPECT_EQ(parent.status(), ActorStatus::kStopped);
  EXPECT_EQ(counts_.living, 0);
  EXPECT_EQ(system_->dead_letters(), 1u);
}

struct alignas(64) Wide {
  int value;
};

TEST_P(SharedMessageTest, KeepsTheAlignmentOfItsType) {
  class Checks : public Actor<Wide> {
   public:
    explicit Checks(std::vector<int>& seen) : seen_(seen) {}
    void Handle(const Wide& m) {
      EXPECT_EQ(reinterpret_cast<uintptr_t>(&m) % 64, 0u);
      seen_.push_back(m.value);
    }

   private:
    std::vector<int>& seen_;
  };
  std::vector<int> seen;
  const auto checks = SpawnWith<Checks>(seen);
  SendShared(checks, SharedMessage<Wide>::Make(7));
  executor_->RunUntilIdle();
  EXPECT_THAT(seen, ElementsAre(7));
}

// A type that says it is copyable, and is not, can be taken by value still.
struct Crate {
  std::vector<std::unique_ptr<int>> content;
};

TEST_P(SharedMessageTest, NobodyElseNeedsToBeCopyable) {
  class TakesCrates : public Actor<Crate> {
   public:
    explicit TakesCrates(int& sum) : sum_(sum) {}
    void Handle(Crate m) { sum_ += *m.content.at(0); }

   private:
    int& sum_;
  };
  int sum = 0;
  const auto takes = SpawnWith<TakesCrates>(sum);
  Crate crate;
  crate.content.push_back(std::make_unique<int>(5));
  takes.Send(std::move(crate));
  executor_->RunUntilIdle();
  EXPECT_EQ(sum, 5);
}

}  // namespace
}  // namespace troupe
