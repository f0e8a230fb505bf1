// Watching names (§31): what is there first, then each change, in order.
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/internal/system_testing.h"
#include "troupe/base/log.h"
#include "troupe/registry/name_event.h"
#include "troupe/registry/names.h"
#include "troupe/scheduler/deterministic_executor.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::troupe::testing::IsOk;
using ::troupe::testing::StatusIs;

struct Rest {};

class Idle : public Actor<Rest> {
 public:
  void Handle(Rest) {}
};

// Events as lines, in the order in which they came. Thread-safe.
class Diary {
 public:
  void Add(const NameEvent& event) ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    const char* const what = event.kind == NameEvent::Kind::kAppeared ? "+"
                             : event.kind == NameEvent::Kind::kGone   ? "-"
                                                                      : ">";
    lines_.push_back(absl::StrCat(what, event.name));
    last_ = event;
  }
  std::vector<std::string> Take() ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    return std::exchange(lines_, {});
  }
  NameEvent last() const ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    return last_;
  }

 private:
  mutable absl::Mutex mu_;
  std::vector<std::string> lines_ ABSL_GUARDED_BY(mu_);
  NameEvent last_ ABSL_GUARDED_BY(mu_){};
};

class Reader : public Actor<NameEvent> {
 public:
  explicit Reader(Diary& diary) : diary_(diary) {}
  void Handle(const NameEvent& event) { diary_.Add(event); }

 private:
  Diary& diary_;
};

class NameWatchTest : public internal::SystemTest {
 protected:
  Diary diary_;
  std::unique_ptr<ActorSystem> system_ = MakeSystem();
  Names& names_ = system_->Get<Names>();

  Idle::Ref Spawn(std::string name) {
    return system_->Spawn<Idle>({.name = std::move(name)}).value();
  }
  NameSubscriber ToDiary() {
    return NameSubscriber([this](const NameEvent& e) { diary_.Add(e); });
  }
};

INSTANTIATE_TEST_SUITE_P(Executors, NameWatchTest, internal::AllExecutors());

TEST_P(NameWatchTest, OneNameIsWatchedFromItsPresentOn) {
  const Idle::Ref first = Spawn("store");
  Spawn("other");
  const Subscription watch = names_.Watch("store", ToDiary()).value();
  EXPECT_THAT(diary_.Take(), ElementsAre("+store"));
  EXPECT_EQ(diary_.last(), (NameEvent{NameEvent::Kind::kAppeared, "store",
                                      first, AnyActorRef()}));
  EXPECT_THAT(first.KillAndWait(), IsOk());
  EXPECT_EQ(diary_.last(),
            (NameEvent{NameEvent::Kind::kGone, "store", first, AnyActorRef()}));
  const Idle::Ref second = Spawn("store");
  const Idle::Ref third = Spawn("more");
  EXPECT_THAT(names_.Move("store", second, third), IsOk());
  EXPECT_EQ(diary_.last(),
            (NameEvent{NameEvent::Kind::kMoved, "store", third, second}));
  EXPECT_THAT(names_.Unregister("store", third), IsOk());
  EXPECT_THAT(diary_.Take(),
              ElementsAre("-store", "+store", ">store", "-store"));
}

TEST_P(NameWatchTest, PrefixCoversWhatBeginsWithIt) {
  Spawn("a/2");
  Spawn("a/1");
  Spawn("b");
  const Subscription some = names_.WatchPrefix("a/", ToDiary()).value();
  EXPECT_THAT(diary_.Take(), ElementsAre("+a/1", "+a/2"));
  Spawn("a/3");
  Spawn("c");
  EXPECT_THAT(diary_.Take(), ElementsAre("+a/3"));
  const Subscription all = names_.WatchPrefix("", ToDiary()).value();
  EXPECT_THAT(diary_.Take(), ElementsAre("+a/1", "+a/2", "+a/3", "+b", "+c"));
}

TEST_P(NameWatchTest, NothingComesOnceItWasDropped) {
  Subscription watch = names_.WatchPrefix("", ToDiary()).value();
  Spawn("a");
  EXPECT_THAT(diary_.Take(), ElementsAre("+a"));
  watch.Drop();
  Spawn("b");
  EXPECT_THAT(diary_.Take(), IsEmpty());
}

TEST_P(NameWatchTest, ActorIsToldByMessages) {
  Spawn("a");
  const auto reader = system_->Spawn<Reader>(std::ref(diary_)).value();
  const Subscription watch = names_.WatchPrefix("", reader).value();
  const Idle::Ref b = Spawn("b");
  EXPECT_THAT(b.KillAndWait(), IsOk());
  EXPECT_THAT(reader.DrainAndWait(), IsOk());
  EXPECT_THAT(diary_.Take(), ElementsAre("+a", "+b", "-b"));
}

TEST_P(NameWatchTest, ActorThatHasEndedIsToldNothing) {
  // Not even that its own name is gone.
  const auto reader =
      system_->Spawn<Reader>({.name = "reader"}, std::ref(diary_)).value();
  const Subscription watch = names_.WatchPrefix("", reader).value();
  EXPECT_THAT(reader.KillAndWait(), IsOk());
  const uint64_t dead_letters = system_->dead_letters();
  EXPECT_LE(dead_letters, 1u);  // That it is there: it may have died before.
  Spawn("a");
  EXPECT_EQ(system_->dead_letters(), dead_letters);
  EXPECT_THAT(
      names_.WatchPrefix("", reader),
      StatusIs(absl::StatusCode::kNotFound, HasSubstr(reader.ToString())));
  EXPECT_THAT(names_.WatchPrefix("", Reader::Ref()),
              StatusIs(absl::StatusCode::kNotFound));
}

TEST_P(NameWatchTest, SystemsEventsTellOfAllNames) {
  Spawn("a");
  const Subscription subscription = system_->Subscribe<NameEvent>(
      [this](const NameEvent& event) { diary_.Add(event); });
  const Idle::Ref b = Spawn("b");
  EXPECT_THAT(b.KillAndWait(), IsOk());
  EXPECT_THAT(diary_.Take(), ElementsAre("+b", "-b"));
}

// What a watcher changes comes after what it is told, not in its midst.
TEST_P(NameWatchTest, WatcherMayChangeNames) {
  Subscription inner;
  const Subscription outer =
      names_
          .WatchPrefix("",
                       [&](const NameEvent& event) {
                         if (event.name == "a") {
                           EXPECT_THAT(names_.Register("b", event.actor),
                                       IsOk());
                           inner = names_.Watch("a", ToDiary()).value();
                         }
                         diary_.Add(event);
                       })
          .value();
  Spawn("a");
  EXPECT_THAT(diary_.Take(), ElementsAre("+a", "+b", "+a"));
}

TEST_P(NameWatchTest, WhatIsNoNameIsNotWatched) {
  EXPECT_THAT(names_.Watch("", ToDiary()),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(names_.Watch("a\tb", ToDiary()),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

class Log : public LogSink {
 public:
  void Send(const LogEntry& entry) override {
    absl::MutexLock lock(&mu_);
    lines_.emplace_back(entry.text_message());
  }
  std::vector<std::string> lines() const {
    absl::MutexLock lock(&mu_);
    return lines_;
  }

 private:
  mutable absl::Mutex mu_;
  std::vector<std::string> lines_ ABSL_GUARDED_BY(mu_);
};

TEST(NameWatchLogTest, WatcherThatThrowsIsLogged) {
  Log log;
  Diary diary;
  std::unique_ptr<ActorSystem> system = ActorSystem::CreateOn(
      std::make_unique<DeterministicExecutor>(DeterministicExecutor::Options{}),
      {.logger = Logger(&log)});
  Names& names = system->Get<Names>();
  const Subscription bad =
      names.WatchPrefix("a", [](const NameEvent&) { throw 17; }).value();
  const Subscription good =
      names.WatchPrefix("a", [&](const NameEvent& e) { diary.Add(e); }).value();
  EXPECT_THAT(system->Spawn<Idle>({.name = "a1"}), IsOk());
  EXPECT_THAT(diary.Take(), ElementsAre("+a1"));
  EXPECT_THAT(log.lines(),
              ElementsAre(HasSubstr("a watcher of names like 'a'")));
}

}  // namespace
}  // namespace troupe
