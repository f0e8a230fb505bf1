// Random histories of supervisors: what the machine does at each step is
// compared with what SupervisorModel does, and with what must hold whatever the
// two of them think.
#include <algorithm>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iostream>
#include <map>
#include <set>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/base/clock.h"
#include "troupe/base/random.h"
#include "troupe/supervision/child_options.h"
#include "troupe/supervision/child_status.h"
#include "troupe/supervision/internal/child_table.h"
#include "troupe/supervision/internal/supervisor_command.h"
#include "troupe/supervision/internal/supervisor_machine.h"
#include "troupe/supervision/internal/supervisor_model.h"
#include "troupe/supervision/strategy.h"
#include "troupe/testing/seeds.h"

namespace troupe::internal {
namespace {

using testing::SeedTrace;
using testing::TestSeeds;
using Command = SupervisorCommand;
using Kind = ExitReason::Kind;

constexpr int kParts = 8;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int kHistories = 100'000;
#elif defined(__has_feature)
constexpr int kHistories =
    __has_feature(thread_sanitizer) ? 100'000 : 1'000'000;
#else
constexpr int kHistories = 1'000'000;
#endif
constexpr size_t kMaxChildren = 7;

// How often what was commanded: histories that never get somewhere compare
// nothing there.
struct Coverage {
  std::map<Command::Kind, int> kinds;
  std::map<AdminOutcome, int> outcomes;
  std::map<Verdict, int> verdicts;
  std::map<EndCause, int> causes;

  void Count(const Command& command) {
    ++kinds[command.kind];
    if (command.kind == Command::Kind::kAnswer) ++outcomes[command.outcome];
    if (command.kind == Command::Kind::kReport) ++verdicts[command.verdict];
    if (command.kind == Command::Kind::kFinished) ++causes[command.cause];
  }
};

// What runs, as the shell knows it.
struct Body {
  bool start_open = false;
  bool alive = false;
  bool asked = false;  // To stop.

  bool there() const { return start_open || alive; }
};

class History {
 public:
  History(uint64_t seed, Coverage& coverage)
      : random_(seed),
        coverage_(coverage),
        settings_(SomeSettings()),
        machine_random_(seed),
        model_random_(seed),
        machine_(settings_, machine_random_),
        model_(settings_, model_random_) {}

  void Run() {
    for (size_t left = random_.Uniform(5); left > 0; --left) AddChild();
    Both([&](auto& it) { it.Start(now_); });
    for (size_t left = 4 + random_.Uniform(40); left > 0 && !failed_; --left) {
      Step();
    }
    // Everything ends.
    Both([&](auto& it) { it.Shutdown(now_); });
    for (int left = 300; left > 0 && !failed_ && !finished_; --left) EndStep();
    Expect(finished_, "everything ends after Shutdown()");
    if (failed_) Print();
  }

 private:
  bool Chance(int percent) { return random_.Uniform(100) < percent; }

  template <typename T>
  T OneOf(std::initializer_list<T> values) {
    return values.begin()[random_.Uniform(values.size())];
  }

  SupervisorMachine::Settings SomeSettings() {
    return {.strategy = OneOf({kOneForOne, kOneForAll, kRestForOne, kRestForOne,
                               kOneForAll, kDynamic}),
            .intensity = SomeIntensity(),
            .auto_shutdown = OneOf({kNever, kAnySignificant, kAllSignificant})};
  }

  Intensity SomeIntensity() {
    return {.restarts = OneOf({0, 1, 2, 5, 20}),
            .within = absl::Nanoseconds(OneOf({1, 5, 30}))};
  }

  ChildRules SomeRules() {
    ChildRules rules;
    rules.restart =
        OneOf({kPermanent, kPermanent, kTransient, kTransient, kTemporary});
    rules.shutdown = OneOf({Shutdown::Brutal(), Shutdown::Infinite(),
                            Shutdown::Within(absl::Nanoseconds(3)),
                            Shutdown::Within(absl::ZeroDuration())});
    rules.significant = rules.restart != kPermanent && Chance(50);
    if (Chance(25)) {
      rules.backoff =
          RestartBackoff{.initial = absl::Nanoseconds(OneOf({1, 4})),
                         .max = absl::Nanoseconds(9),
                         .factor = OneOf({1.0, 2.0, 3.0}),
                         .jitter = OneOf({0.0, 0.5}),
                         .reset_after = absl::Nanoseconds(10)};
    }
    return rules;
  }

  ChildKey AddChild() {
    const ChildRules rules = SomeRules();
    const ChildKey key = machine_.Add(rules);
    Expect(!bodies_.contains(key), "a key names one child at a time");
    model_.Add(key, rules);
    bodies_[key] = {};
    return key;
  }

  // A child for which `wanted` holds, or kNoChild.
  template <typename Wanted>
  ChildKey SomeChild(const Wanted& wanted) {
    std::vector<ChildKey> keys;
    for (const auto& [key, body] : bodies_) {
      if (wanted(body)) keys.push_back(key);
    }
    return keys.empty() ? kNoChild : keys[random_.Uniform(keys.size())];
  }

  static bool Any(const Body&) { return true; }

  void Step() {
    if (Chance(30)) {
      AnswerStart(SomeChild([](const Body& body) { return body.start_open; }));
    } else if (Chance(35)) {
      EndInstance(SomeChild([](const Body& body) { return body.alive; }));
    } else if (Chance(40)) {
      PassTime();
    } else if (Chance(80)) {
      Administer();
    } else if (Chance(30)) {
      const Intensity intensity = SomeIntensity();
      intensity_changed_ = true;
      Both([&](auto& it) { it.SetIntensity(intensity); });
    } else if (Chance(40) && settings_.strategy != kDynamic) {
      const Strategy strategy = OneOf({kOneForOne, kOneForAll, kRestForOne});
      Both([&](auto& it) { it.SetStrategy(strategy); });
    } else if (Chance(10)) {
      Both([&](auto& it) { it.Shutdown(now_); });
    }
  }

  void EndStep() {
    const ChildKey open =
        SomeChild([](const Body& body) { return body.start_open; });
    const ChildKey asked =
        SomeChild([](const Body& body) { return body.alive && body.asked; });
    if (open != kNoChild) {
      AnswerStart(open);
    } else if (asked != kNoChild && Chance(70)) {
      EndInstance(asked);
    } else {
      PassTime();
    }
  }

  void AnswerStart(ChildKey key) {
    if (key == kNoChild) return;
    Body& body = bodies_[key];
    body.start_open = false;
    if (Chance(body.asked ? 40 : 80)) {
      Both([&](auto& it) { it.ChildStarted(key, now_); });
    } else {
      body.alive = false;
      Both([&](auto& it) { it.StartFailed(key, now_); });
    }
  }

  void EndInstance(ChildKey key) {
    if (key == kNoChild) return;
    bodies_[key].alive = false;
    const Kind kind =
        OneOf({Kind::kNormal, Kind::kShutdown, Kind::kDrained, Kind::kKilled,
               Kind::kFailed, Kind::kFailed, Kind::kFailed, Kind::kNoActor});
    Both([&](auto& it) { it.ChildEnded(key, kind, now_); });
  }

  void PassTime() {
    if (Chance(50) && !machine_.next_wake().IsInfinite()) {
      now_ = std::max(now_, machine_.next_wake());
    } else if (Chance(90)) {
      now_ += absl::Nanoseconds(random_.Uniform(4));
    } else {
      now_ += absl::Nanoseconds(40);  // The clock jumps.
    }
    Both([&](auto& it) { it.TimerDue(now_); });
  }

  void Administer() {
    if (Chance(30)) {
      if (bodies_.size() >= kMaxChildren) return;
      const ChildKey key = AddChild();
      tickets_.insert(++last_ticket_);
      Both([&](auto& it) { it.StartChild(key, now_, last_ticket_); });
      return;
    }
    const ChildKey key = SomeChild(Any);
    if (key == kNoChild) return;
    tickets_.insert(++last_ticket_);
    switch (random_.Uniform(3)) {
      case 0:
        Both([&](auto& it) { it.TerminateChild(key, now_, last_ticket_); });
        break;
      case 1:
        Both([&](auto& it) { it.RestartChild(key, now_, last_ticket_); });
        break;
      default:
        Both([&](auto& it) { it.DeleteChild(key, now_, last_ticket_); });
    }
  }

  // An event for the machine and the model, and all that comes of it.
  template <typename Event>
  void Both(const Event& event) {
    event(machine_);
    event(model_);
    std::vector<Command> commands;
    while (machine_.HasCommand()) commands.push_back(machine_.TakeCommand());
    const std::vector<Command> expected = model_.TakeCommands();
    if (commands != expected) {
      Expect(false, "the machine and the model give the same commands");
      EXPECT_EQ(commands, expected);
    }
    for (const Command& command : commands) Carry(command);
    CompareStates();
  }

  void CompareStates() {
    Expect(machine_.next_wake() == model_.next_wake(), "wake-ups agree");
    Expect(machine_.ending() == model_.ending(), "ends agree");
    std::vector<ChildKey> order;
    for (ChildKey key = machine_.first(); key != kNoChild;
         key = machine_.next(key)) {
      order.push_back(key);
    }
    Expect(order == model_.order(), "orders agree");
    Expect(order.size() == machine_.size() && order.size() == bodies_.size(),
           "every child is listed once");
    if (failed_) return;
    for (const ChildKey key : order) {
      Expect(machine_.status(key) == model_.status(key), "statuses agree");
      Expect(machine_.restarts(key) == model_.restarts(key), "counts agree");
      const ChildStatus status = machine_.status(key);
      Expect(bodies_[key].there() == (status == ChildStatus::kStarting ||
                                      status == ChildStatus::kRunning ||
                                      status == ChildStatus::kStopping),
             "who has an instance has the status for it");
    }
  }

  void Carry(const Command& command) {
    trace_.push_back(command);
    coverage_.Count(command);
    Expect(!finished_ || command.kind == Command::Kind::kAnswer ||
               command.kind == Command::Kind::kForget,
           "after the end there are only answers");
    Body* body = nullptr;
    if (command.child != kNoChild) {
      Expect(bodies_.contains(command.child), "commands name who is there");
      body = &bodies_[command.child];
    }
    switch (command.kind) {
      case Command::Kind::kStart:
        Expect(!body->there(), "there are never two instances of one child");
        *body = {.start_open = true, .alive = true};
        break;
      case Command::Kind::kStop:
      case Command::Kind::kKill:
        Expect(body->there(), "who is stopped is there");
        // Reverse order: while the supervisor ends, who is stopped is the last
        // that is left.
        if (machine_.ending() && settings_.strategy != kDynamic &&
            !body->asked) {
          for (ChildKey key = machine_.next(command.child); key != kNoChild;
               key = machine_.next(key)) {
            Expect(!bodies_[key].there(), "children end in reverse order");
          }
        }
        body->asked = true;
        break;
      case Command::Kind::kForget:
        Expect(!body->there(), "who is forgotten is not there");
        bodies_.erase(command.child);
        break;
      case Command::Kind::kAnswer:
        Expect(tickets_.erase(command.ticket) == 1,
               "each ticket has an answer");
        break;
      case Command::Kind::kReport:
        CountRestart(command);
        break;
      case Command::Kind::kReady:
        Expect(!ready_, "a supervisor gets ready once");
        ready_ = true;
        break;
      case Command::Kind::kFinished:
        finished_ = true;
        Expect(SomeChild([](const Body& body) { return body.there(); }) ==
                   kNoChild,
               "nobody is left at the end");
        Expect(tickets_.empty(), "all tickets are answered before the end");
        break;
    }
  }

  void CountRestart(const Command& report) {
    if (report.verdict > Verdict::kRestartRest || intensity_changed_) return;
    if (report.delay > absl::ZeroDuration()) return;  // Has its own count.
    restarts_.push_back(now_);
    const auto recent = [this](MonotonicTime at) {
      return at >= now_ - settings_.intensity.within;
    };
    Expect(std::count_if(restarts_.begin(), restarts_.end(), recent) <=
               settings_.intensity.restarts,
           "restarts stay within the intensity");
  }

  void Expect(bool fact, const char* what) {
    if (fact || failed_) return;
    failed_ = true;
    ADD_FAILURE() << what;
  }

  void Print() {
    for (const Command& command : trace_) std::cerr << command << "\n";
  }

  Random random_;
  Coverage& coverage_;
  const SupervisorMachine::Settings settings_;
  Random machine_random_;
  Random model_random_;
  SupervisorMachine machine_;
  SupervisorModel model_;
  MonotonicTime now_;
  std::map<ChildKey, Body> bodies_;
  std::set<Ticket> tickets_;
  Ticket last_ticket_ = 0;
  std::vector<MonotonicTime> restarts_;
  std::vector<Command> trace_;
  bool intensity_changed_ = false;
  bool ready_ = false;
  bool finished_ = false;
  bool failed_ = false;
};

// A check that fails ends the process before GoogleTest can say where it was.
constinit uint64_t seed_under_way = 0;
void SaySeed(int) { std::cerr << SeedTrace(seed_under_way) << std::endl; }

class SupervisorMachineSimTest : public ::testing::TestWithParam<int> {};

// Clauses 29 and 30, all of what they say about decisions.
TEST_P(SupervisorMachineSimTest, AgreesWithTheModelOnRandomHistories) {
  const std::vector<uint64_t> seeds = TestSeeds(kHistories);
  std::signal(SIGABRT, SaySeed);
  Coverage coverage;
  for (size_t i = GetParam(); i < seeds.size() && !HasFailure(); i += kParts) {
    SCOPED_TRACE(SeedTrace(seeds[i]));
    seed_under_way = seeds[i];
    History(seeds[i], coverage).Run();
  }
  if (seeds.size() == 1) return;  // One is replayed.
  EXPECT_EQ(coverage.kinds.size(), 8);
  EXPECT_EQ(coverage.outcomes.size(), 8);
  EXPECT_EQ(coverage.verdicts.size(), 9);
  EXPECT_EQ(coverage.causes.size(), 4);
}

INSTANTIATE_TEST_SUITE_P(Parts, SupervisorMachineSimTest,
                         ::testing::Range(0, kParts));

}  // namespace
}  // namespace troupe::internal
