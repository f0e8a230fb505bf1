// References to actors of another node, up to where the session with it takes
// over (clauses 2, 17, 18, 21 to 24 and 28).
#include "troupe/actor/internal/far_cell.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_id.h"
#include "troupe/actor/actor_status.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/delivery.h"
#include "troupe/actor/down.h"
#include "troupe/actor/ended.h"
#include "troupe/actor/events.h"
#include "troupe/actor/exit.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/actor/internal/id_space.h"
#include "troupe/actor/internal/notice.h"
#include "troupe/actor/internal/reply.h"
#include "troupe/actor/internal/signals.h"
#include "troupe/actor/internal/system_testing.h"
#include "troupe/actor/internal/watch_table.h"
#include "troupe/actor/internal/watch_testing.h"
#include "troupe/actor/send_result.h"
#include "troupe/actor/task.h"
#include "troupe/base/allocation_gate.h"
#include "troupe/mailbox/capacity.h"
#include "troupe/mailbox/envelope.h"
#include "troupe/mailbox/envelope_pool.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using internal::Act;
using internal::FarCell;
using internal::FarMailWaits;
using internal::Journal;
using internal::Outgoing;
using internal::Person;
using internal::Watcher;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::IsOkAndHolds;
using ::testing::SizeIs;
using testing::StatusIs;
using ::testing::UnorderedElementsAre;

struct Word {
  std::string text;
};
struct Question {
  using Reply = std::string;
  int number;
};

// What a session has taken, as text; and what it was for, where that is owed.
std::string TextOf(Outgoing& outgoing) {
  Envelope& envelope = *outgoing.envelope;
  const std::string to = absl::StrCat(" to ", outgoing.id_there);
  if (auto* word = envelope.TryAs<Word>()) {
    return absl::StrCat(envelope.lane == Lane::kUrgent ? "urgent " : "",
                        word->text, to);
  }
  if (auto* question = envelope.TryAs<Question>()) {
    return absl::StrCat("question ", question->number, to);
  }
  if (auto* end = envelope.TryAs<internal::EndRequest>()) {
    return absl::StrCat("end ", static_cast<int>(end->request), " ",
                        end->reason.ToString(), to);
  }
  if (envelope.TryAs<internal::BeginWatch>()) return "watch" + to;
  if (envelope.TryAs<internal::EndWatch>()) return "no watch" + to;
  if (envelope.TryAs<internal::LinkRequest>()) return "link" + to;
  if (envelope.TryAs<internal::UnlinkRequest>()) return "unlink" + to;
  if (envelope.TryAs<internal::CancelRequest>()) return "cancel" + to;
  if (envelope.TryAs<internal::AwaitEnd>()) return "await end" + to;
  if (envelope.TryAs<internal::AwaitEndNoMore>()) return "no await" + to;
  if (auto* notice = envelope.TryAs<internal::Notice>()) {
    return absl::StrCat(notice->is_exit ? "exit " : "down ",
                        notice->reason.ToString(), to);
  }
  return std::string(envelope.type->name);
}

struct Visit {
  using Reply = bool;
  std::function<void(class Session&)> visit;
};

// Takes what is sent, unless it is told to leave it.
class Session : public Actor<FarMailWaits, Visit> {
 public:
  explicit Session(FarCell& far) : far_(far) {}

  void Handle(FarMailWaits) {
    if (takes) Take();
  }
  bool Handle(Visit m) {
    m.visit(*this);
    return true;
  }

  void Take() {
    while (EnvelopePtr wrapped = far_.PopControl()) Note(std::move(wrapped));
    for (EnvelopeList some = far_.PopData(2); !some.empty();
         some = far_.PopData(2)) {
      while (EnvelopePtr wrapped = some.Pop()) Note(std::move(wrapped));
    }
  }
  // The n-th that has come, as what was sent.
  Outgoing& at(size_t n) { return taken_.at(n)->As<Outgoing>(); }

  bool takes = true;
  std::vector<std::string> texts;

 private:
  void Note(EnvelopePtr wrapped) {
    texts.push_back(TextOf(wrapped->As<Outgoing>()));
    taken_.push_back(std::move(wrapped));
  }

  FarCell& far_;
  std::vector<EnvelopePtr> taken_;
};

class FarCellTest : public internal::SystemTest {
 protected:
  static constexpr uint64_t kThere = 7;

  FarCellTest()
      : letters_(system_->Subscribe<DeadLetter>([this](const DeadLetter& l) {
          reasons_.Add(std::string(DeadLetterReasonName(l.reason)));
        })) {}

  ~FarCellTest() override { far_.Close(); }

  void Open(const Capacity& limit = {}) { (void)far_.Open(limit, session_); }

  ActorRef<Word, Question> Ref(uint64_t there = kThere) {
    const AnyActorRef any = far_.RefTo(there);
    return ActorRef<Word, Question>(any.cell(), any.id().value());
  }

  // Calls `visit` in the session.
  void InSession(std::function<void(Session&)> visit) {
    EXPECT_THAT(session_.Call<Visit>(std::move(visit)).Wait(),
                IsOkAndHolds(true));
  }
  // What the session has taken so far. All that was sent before has come.
  std::vector<std::string> Texts() {
    std::vector<std::string> texts;
    InSession([&](Session& session) { texts = session.texts; });
    return texts;
  }
  // Waits until the session has taken so many.
  std::vector<std::string> TextsUntil(size_t count) {
    std::vector<std::string> texts = Texts();
    while (texts.size() < count) texts = Texts();
    return texts;
  }

  Journal journal_;  // Of the actors.
  Journal reasons_;  // Of dead letters.
  std::unique_ptr<ActorSystem> system_ = MakeSystem();
  FarCell& far_ = **FarCell::Make(system_->core(), "b");
  Session::Ref session_ = system_->Spawn<Session>(std::ref(far_)).value();
  Subscription letters_;
};

TEST_P(FarCellTest, RefsAreEqualIfTheirActorsAre) {
  FarCell& other = **FarCell::Make(system_->core(), "c");
  EXPECT_EQ(far_.RefTo(1), far_.RefTo(1));
  EXPECT_NE(far_.RefTo(1), far_.RefTo(2));
  EXPECT_NE(far_.RefTo(1), other.RefTo(1));
  EXPECT_NE(far_.RefTo(session_.id().value()), session_);
  EXPECT_TRUE(far_.RefTo(1).IsRemote());
  EXPECT_FALSE(session_.IsRemote());
  EXPECT_FALSE(AnyActorRef().IsRemote());
  EXPECT_EQ(far_.RefTo(1).ToString(), "actor #1 of b");
  EXPECT_THAT(far_.RefTo(1).id().ToString(), HasSubstr("#1@"));
  EXPECT_EQ(internal::IdSpace::Find(far_.IdOf(1)), system_->core());
}

// R-015
TEST_P(FarCellTest, MessagesComeInOrder) {
  Open();
  for (int i = 0; i < 100; ++i) Ref().Send<Word>(absl::StrCat(i));
  EXPECT_EQ(Ref(9).TrySend(Word{"other"}), SendResult::kSent);
  Ref().SendUrgent<Word>("now");
  const std::vector<std::string> texts = TextsUntil(102);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(texts[i], absl::StrCat(i, " to 7"));
  EXPECT_EQ(texts[100], "other to 9");
  EXPECT_EQ(texts[101], "urgent now to 7");
  EXPECT_EQ(system_->dead_letters(), 0);
}

// Refuses the k-th allocation of this thread, unless the runtime must have it.
class RefuseOne final : public internal::AllocationGate {
 public:
  explicit RefuseOne(int k) : left_(k) { Set(this); }
  RefuseOne(const RefuseOne&) = delete;
  RefuseOne& operator=(const RefuseOne&) = delete;
  ~RefuseOne() { Set(nullptr); }
  bool Admits() override { return --left_ != 0; }

 private:
  static void Set(internal::AllocationGate* gate) {
    EnvelopePool::KeepNothing(gate != nullptr);
    internal::allocation_gate = gate;
  }

  int left_;
};

// Clause 34: what throws has sent nothing, and all else comes.
TEST_P(FarCellTest, WithoutMemoryNothingIsHalfSent) {
  Open();
  std::vector<std::string> sent;
  for (int k = 1; k < 5; ++k) {
    const std::string word = absl::StrCat("word ", k);
    try {
      const RefuseOne shortage(k);
      Ref().Send<Word>(word);
      sent.push_back(absl::StrCat(word, " to 7"));
    } catch (const std::bad_alloc&) {
      EXPECT_EQ(k, 1);
    }
    EXPECT_EQ(TextsUntil(sent.size()), sent);
  }
  EXPECT_THAT(sent, SizeIs(3));
  EXPECT_EQ(system_->dead_letters(), 0);
}

TEST_P(FarCellTest, StatusIsThatOfTheConnection) {
  EXPECT_EQ(Ref().status(), ActorStatus::kStopped);
  Open();
  EXPECT_EQ(Ref().status(), ActorStatus::kRunning);
  far_.Close();
  EXPECT_EQ(Ref().status(), ActorStatus::kStopped);
}

// §18
TEST_P(FarCellTest, WithoutConnectionMessagesAreDeadLetters) {
  Ref().Send<Word>("lost");
  Word word{"kept"};
  EXPECT_EQ(Ref().TrySend(std::move(word)), SendResult::kUnreachable);
  EXPECT_EQ(word.text, "kept");
  Ref().SendUrgent<Word>("lost");
  EXPECT_THAT(Ref().SendWhenReady<Word>("lost").Wait(),
              StatusIs(absl::StatusCode::kUnavailable,
                       HasSubstr("actor #7 of b: there is no connection")));
  EXPECT_THAT(reasons_.lines(), ElementsAre("no connection", "no connection"));
}

// §24
TEST_P(FarCellTest, WithoutConnectionCallsAreUnavailable) {
  const auto answer = Ref().Call<Question>(1).Wait();
  EXPECT_THAT(answer.status(), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(Delivery(answer), DeliveryState::kNotDelivered);
}

TEST_P(FarCellTest, SessionAnswersCalls) {
  Open();
  auto call = Ref().Call<Question>(3).Start();
  EXPECT_THAT(TextsUntil(1), ElementsAre("question 3 to 7"));
  InSession([](Session& session) {
    Envelope& request = *session.at(0).envelope;
    ASSERT_TRUE(internal::IsRequest(request));
    const internal::RequestInfo& info = internal::InfoOf(request);
    EXPECT_NE(info.deadline, MonotonicTime::InfiniteFuture());
    internal::SendReply(info.route,
                        internal::MakeReply(absl::StatusOr<std::string>("3!")));
  });
  EXPECT_THAT(std::move(call).Wait(), IsOkAndHolds("3!"));
}

// §23
TEST_P(FarCellTest, CancelFollowsItsCall) {
  Open(Capacity{.messages = 1});
  { auto dropped = Ref().Call<Question>(3).Start(); }
  EXPECT_THAT(TextsUntil(2), ElementsAre("question 3 to 7", "cancel to 7"));
}

TEST_P(FarCellTest, RequestsToEndAreControlExceptDrains) {
  Open(Capacity{.messages = 1});
  InSession([](Session& session) { session.takes = false; });
  Ref().Send<Word>("full");
  Ref().Stop(ExitReason::Shutdown("maintenance"));
  Ref().Kill();
  Ref().Drain();
  InSession([](Session& session) { session.Take(); });
  EXPECT_THAT(Texts(), ElementsAre("end 2 shutdown (maintenance) to 7",
                                   "end 3 killed to 7", "full to 7",
                                   "end 1 drained to 7"));
}

TEST_P(FarCellTest, EndsAreAwaitedThere) {
  Open();
  EXPECT_THAT(Ref().Wait(absl::ZeroDuration()),
              StatusIs(absl::StatusCode::kDeadlineExceeded));
  EXPECT_THAT(TextsUntil(2), ElementsAre("await end to 7", "no await to 7"));
  far_.Close();
  EXPECT_THAT(Ref().Wait(), IsOkAndHolds(ExitReason::NoConnection()));
}

// §21
TEST_P(FarCellTest, FullQueueRefusesOrLetsWait) {
  Open(Capacity{.messages = 2});
  InSession([](Session& session) { session.takes = false; });
  Ref().Send<Word>("1");
  Ref().Send<Word>("2");
  Word word{"3"};
  EXPECT_EQ(Ref().TrySend(std::move(word)), SendResult::kMailboxFull);
  EXPECT_EQ(word.text, "3");
  Ref().Send<Word>("lost");
  EXPECT_THAT(reasons_.lines(), ElementsAre("mailbox full"));

  auto person = system_->Spawn<Person>(journal_).value();
  auto waits = person
                   .Call<Act>([to = Ref()](Person&) -> Task<absl::Status> {
                     co_return co_await to.SendWhenReady<Word>("waited");
                   })
                   .Start();
  // Where it gave up, nothing is left.
  EXPECT_THAT(
      Ref().SendWhenReady<Word>("late").Within(absl::ZeroDuration()).Wait(),
      StatusIs(absl::StatusCode::kDeadlineExceeded, HasSubstr("Word")));
  // By now the person may wait or not; it is admitted.
  InSession([](Session& session) {
    session.takes = true;
    session.Take();
  });
  EXPECT_THAT(std::move(waits).Wait(), IsOk());
  EXPECT_THAT(TextsUntil(3), ElementsAre("1 to 7", "2 to 7", "waited to 7"));
}

TEST_P(FarCellTest, WaitForSpaceEndsWithTheConnection) {
  Open(Capacity{.messages = 1});
  InSession([](Session& session) { session.takes = false; });
  Ref().Send<Word>("1");
  auto person = system_->Spawn<Person>(journal_).value();
  auto waits = person
                   .Call<Act>([to = Ref()](Person&) -> Task<absl::Status> {
                     co_return co_await to.SendWhenReady<Word>("waited");
                   })
                   .Start();
  EXPECT_THAT(person
                  .Call<internal::Act>([](Person&) -> Task<absl::Status> {
                    co_return absl::OkStatus();
                  })
                  .Within(absl::ZeroDuration())
                  .Wait(),
              StatusIs(absl::StatusCode::kDeadlineExceeded));
  far_.Close();
  EXPECT_FALSE(std::move(waits).Wait().ok());
  EXPECT_THAT(reasons_.lines(), ElementsAre("no connection"));
}

class FarWatchTest : public FarCellTest {
 protected:
  Watcher::Ref watcher_ = system_->Spawn<Watcher>(journal_).value();

  MonitorHandle MonitorFar() {
    MonitorHandle handle;
    Do([&, to = far_.RefTo(kThere)](Person& person) {
      handle = person.Monitor(to);
    });
    return handle;
  }
  void Do(std::function<void(Person&)> what) {
    EXPECT_THAT(watcher_
                    .Call<Act>([&what](Person& person) -> Task<absl::Status> {
                      what(person);
                      co_return absl::OkStatus();
                    })
                    .Wait(),
                IsOk());
  }
  std::vector<std::string> NotesUntil(size_t count) {
    while (journal_.lines().size() < count) Do([](Person&) {});
    return journal_.lines();
  }
};

// §28
TEST_P(FarWatchTest, MonitorIsOverWithTheConnection) {
  Open();
  MonitorFar();
  EXPECT_THAT(TextsUntil(1), ElementsAre("watch to 7"));
  // Taken already: the session's to tell.
  InSession([this](Session& session) {
    far_.Fail(kThere, std::move(session.at(0).envelope));
  });
  EXPECT_THAT(NotesUntil(1), ElementsAre(HasSubstr("no connection")));
  // Not taken yet.
  InSession([](Session& session) { session.takes = false; });
  MonitorFar();
  far_.Close();
  EXPECT_THAT(NotesUntil(2).back(), HasSubstr("no connection"));
  // Without a connection.
  MonitorFar();
  EXPECT_THAT(NotesUntil(3).back(), HasSubstr("no connection"));
}

TEST_P(FarWatchTest, DemonitorFollowsItsMonitor) {
  Open();
  const MonitorHandle handle = MonitorFar();
  Do([&](Person& person) { EXPECT_TRUE(person.Demonitor(handle)); });
  EXPECT_THAT(TextsUntil(2), ElementsAre("watch to 7", "no watch to 7"));
}

TEST_P(FarWatchTest, WatcherThatEndsTakesItsWatchesOff) {
  Open();
  MonitorFar();
  Do([to = far_.RefTo(kThere)](Person& person) { person.Link(to); });
  EXPECT_THAT(watcher_.StopAndWait(), IsOk());
  // The last one is control, the one before in order with messages.
  EXPECT_THAT(TextsUntil(4),
              UnorderedElementsAre("watch to 7", "link to 7",
                                   "exit normal to 7", "no watch to 7"));
}

TEST_P(FarWatchTest, LinkIsOverWithTheConnection) {
  internal::Endings endings(*system_);
  Do([to = far_.RefTo(kThere)](Person& person) { person.Link(to); });
  const ExitReason reason = endings.Await(watcher_);
  EXPECT_THAT(reason.status(),
              StatusIs(absl::StatusCode::kUnavailable,
                       HasSubstr("linked actor #7 of b no connection")));
}

// What an old session has to say is nothing to the next one, whose calls have
// the same numbers.
TEST_P(FarCellTest, NextSessionHearsNothingOfTheLast) {
  const uint64_t first = far_.Open({}, session_);
  far_.Close();
  const uint64_t second = far_.Open({}, session_);
  EXPECT_NE(first, second);
  far_.TakeFromSession(first, EnvelopePtr(MakeEnvelope<Word>("old")));
  far_.TakeFromSession(second, EnvelopePtr(MakeEnvelope<Word>("new")));
  EXPECT_THAT(TextsUntil(1), ElementsAre("new to 0"));
  far_.Close();
  far_.TakeFromSession(second, EnvelopePtr(MakeEnvelope<Word>("closed")));
}

// What must hear of an end here cannot be an actor's that lives elsewhere.
TEST_P(FarCellTest, EndCannotBeObserved) {
  class Observer : public EndObserver {
    void OnActorEnd(const AnyActorRef&) override { ADD_FAILURE(); }
  };
  static Observer& observer = *new Observer;
  Open();
  EXPECT_FALSE(system_->ObserveEnd(far_.RefTo(kThere), observer).ok());
}

TEST_P(FarCellTest, TypesAreNotKnown) {
  EXPECT_THAT(far_.RefTo(kThere).As<Word>().status(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("actor #7 of b takes is not known here")));
}

INSTANTIATE_TEST_SUITE_P(Executors, FarCellTest, internal::AllExecutors());
INSTANTIATE_TEST_SUITE_P(Executors, FarWatchTest, internal::AllExecutors());

}  // namespace
}  // namespace troupe
