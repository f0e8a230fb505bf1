// How much faster more workers are than one, by what a handler takes: small
// work is to stay where it is, large work to spread. With actors that each go
// on by themselves, and with rounds: a driver gives each one job, and waits for
// all.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/time/time.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/benchmarks/busy_loop.h"
#include "troupe/benchmarks/measure.h"

namespace troupe::benchmarks {
namespace {

constexpr int kActors = 64;
// Of work in one run.
constexpr int64_t kNanoseconds = 200'000'000;
constexpr int64_t kWorkNanoseconds[] = {100, 500, 2'000, 20'000, 200'000};

struct Done {
  int64_t jobs;
};
struct Job {
  ActorRef<Done> reply_to;
};

class Labourer : public Actor<Job> {
 public:
  explicit Labourer(BusyLoop work) : work_(work) {}

  void Handle(Job job) {
    work_.Run();
    job.reply_to.Send<Done>(++jobs_);
  }

 private:
  const BusyLoop work_;
  int64_t jobs_ = 0;
};

struct NextRound {};

// Gives each labourer one job, waits for all of them, and so on.
class Driver : public Actor<NextRound, Done> {
 public:
  Driver(Stage& stage, BusyLoop work, int64_t rounds)
      : stage_(stage), work_(work), rounds_(rounds) {}

  void Handle(NextRound) {
    while (labourers_.size() < kActors) {
      labourers_.push_back(Spawn<Labourer>(work_).value());
    }
    ++round_;
    for (const Labourer::Ref& labourer : labourers_) {
      labourer.Send<Job>(self());
    }
  }
  void Handle(Done done) {
    if (!stage_.Check("jobs of a labourer", done.jobs, round_)) return;
    if (++done_ < kActors) return;
    done_ = 0;
    if (round_ < rounds_) {
      Handle(NextRound());
    } else {
      stage_.Finish();
    }
  }

 private:
  Stage& stage_;
  const BusyLoop work_;
  const int64_t rounds_;
  std::vector<Labourer::Ref> labourers_;
  int64_t round_ = 0;
  int done_ = 0;  // In this round.
};

struct Step {
  int64_t left;
};

// Ends the run when all labourers are done.
class Referee : public Actor<Done> {
 public:
  Referee(Stage& stage, int64_t steps_each)
      : stage_(stage), steps_each_(steps_each) {}

  void Handle(Done done) {
    if (!stage_.Check("steps", done.jobs, steps_each_)) return;
    if (--missing_ == 0) stage_.Finish();
  }

 private:
  Stage& stage_;
  const int64_t steps_each_;
  int missing_ = kActors;
};

// Goes on by a message to itself.
class Walker : public Actor<Step> {
 public:
  Walker(Referee::Ref referee, BusyLoop work)
      : referee_(referee), work_(work) {}

  void Handle(Step step) {
    work_.Run();
    ++steps_;
    if (step.left > 1) {
      self().Send<Step>(step.left - 1);
    } else {
      referee_.Send<Done>(steps_);
    }
  }

 private:
  const Referee::Ref referee_;
  const BusyLoop work_;
  int64_t steps_ = 0;
};

void StartRounds(Stage& stage, BusyLoop work, int64_t rounds) {
  stage.here().Spawn<Driver>(stage, work, rounds).value().Send<NextRound>();
}

void StartWalkers(Stage& stage, BusyLoop work, int64_t steps) {
  const Referee::Ref referee =
      stage.here().Spawn<Referee>(stage, steps).value();
  for (int i = 0; i < kActors; ++i) {
    stage.here().Spawn<Walker>(referee, work).value().Send<Step>(steps);
  }
}

using Start = void (*)(Stage& stage, BusyLoop work, int64_t jobs_each);

absl::StatusOr<absl::Duration> TimeOf(const MeasureOptions& options,
                                      Start start, int workers,
                                      int64_t work_nanoseconds) {
  const BusyLoop work(absl::Nanoseconds(work_nanoseconds));
  absl::StatusOr<std::unique_ptr<Stage>> stage =
      Stage::Create({.workers = workers});
  if (!stage.ok()) return stage.status();
  const int64_t jobs_each = std::max<int64_t>(
      1, Scaled(options, kNanoseconds) / (kActors * work_nanoseconds));
  (*stage)->Begin(jobs_each * kActors);
  start(**stage, work, jobs_each);
  const absl::StatusOr<Measured> measured = (*stage)->Await(options.timeout);
  if (!measured.ok()) return measured.status();
  return measured->elapsed;
}

absl::StatusOr<std::vector<double>> Run(const MeasureOptions& options) {
  std::vector<double> values;
  for (const Start start : {StartWalkers, StartRounds}) {
    for (const int64_t work : kWorkNanoseconds) {
      const absl::StatusOr<absl::Duration> alone =
          TimeOf(options, start, 1, work);
      if (!alone.ok()) return alone.status();
      const absl::StatusOr<absl::Duration> together =
          TimeOf(options, start, options.workers, work);
      if (!together.ok()) return together.status();
      values.push_back(absl::FDivDuration(*alone, *together));
    }
  }
  return values;
}

constexpr double kNotSlower = 0.8;
constexpr double kSpreads = 1.6;
constexpr Figure kFigures[] = {
    {.name = "alone 0.1 us", .unit = "ratio", .at_least = kNotSlower},
    {.name = "alone 0.5 us", .unit = "ratio", .at_least = kNotSlower},
    {.name = "alone 2 us", .unit = "ratio", .at_least = kSpreads},
    {.name = "alone 20 us", .unit = "ratio", .at_least = kSpreads},
    {.name = "alone 200 us", .unit = "ratio", .at_least = kSpreads},
    {.name = "rounds 0.1 us", .unit = "ratio", .at_least = kNotSlower},
    {.name = "rounds 0.5 us", .unit = "ratio", .at_least = kNotSlower},
    {.name = "rounds 2 us", .unit = "ratio", .at_least = kSpreads},
    {.name = "rounds 20 us", .unit = "ratio", .at_least = kSpreads},
    {.name = "rounds 200 us", .unit = "ratio", .at_least = kSpreads},
};

}  // namespace

const Measure kSpread = {
    .name = "spread", .figures = kFigures, .run = Run, .least_workers = 2};

}  // namespace troupe::benchmarks
