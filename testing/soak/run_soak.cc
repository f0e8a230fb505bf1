#include "troupe/testing/soak/run_soak.h"

#include <malloc.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "troupe/actor/internal/cell_pool.h"
#include "troupe/base/clock.h"
#include "troupe/base/log.h"
#include "troupe/base/random.h"
#include "troupe/mailbox/capacity.h"
#include "troupe/mailbox/envelope_pool.h"
#include "troupe/scheduler/event.h"
#include "troupe/scheduler/thread_factory.h"
#include "troupe/testing/environment/process_state.h"
#include "troupe/testing/soak/actors.h"
#include "troupe/testing/soak/driver.h"
#include "troupe/testing/soak/fault.h"
#include "troupe/testing/soak/memory_slope.h"
#include "troupe/testing/soak/receipt.h"
#include "troupe/testing/soak/world.h"
#include "troupe/troupe.h"

namespace troupe::testing {
namespace {

constexpr absl::Duration kSampleEvery = absl::Seconds(1);
constexpr absl::Duration kLook = absl::Milliseconds(10);

// What is restarted and what is slow is so on purpose.
class Silence : public LogSink {
 public:
  void Send(const LogEntry&) override {}
};

// What malloc() has given out and not got back, in all its arenas. 0 where a
// sanitizer has its own. Unlike the resident memory it does not depend on which
// arena a thread happens to use.
int64_t HeapBytes() { return static_cast<int64_t>(mallinfo2().uordblks); }

// With the first thread a sanitizer starts one of its own.
ProcessState StateWithThreads() {
  RealThreadFactory().Start("first", [] {}).value()->Join();
  return ReadProcessState();
}

double Mebibytes(double bytes) { return bytes / (1 << 20); }

class Soak {
 public:
  Soak(const SoakOptions& options,
       absl::FunctionRef<void(absl::string_view)> tell)
      : options_(options),
        tell_(tell),
        random_(options.seed),
        world_(random_.NextUint64(), options.has_deaf_clerk),
        before_(StateWithThreads()),
        began_(RealClock().Now()) {}

  SoakReport Run() {
    if (!Begin()) return std::move(report_);
    Work();
    End();
    Judge();
    return std::move(report_);
  }

 private:
  void FailIf(bool wrong, std::string what) {
    if (wrong) report_.failures.push_back(std::move(what));
  }
  absl::Duration Elapsed() const { return RealClock().Now() - began_; }

  bool Begin() {
    absl::StatusOr<std::unique_ptr<ActorSystem>> system = CreateSystem(
        {.workers = options_.workers, .logger = Logger(&silence_)});
    FailIf(!system.ok(), system.status().ToString());
    if (!system.ok()) return false;
    system_ = *std::move(system);
    dead_letters_ = world_.CountDeadLetters(*system_);
    world_.waiting_press =
        system_->Spawn<Press>({.mailbox = {.messages = 256}}).value();
    world_.dropping_press =
        system_
            ->Spawn<Press>({.mailbox = {.messages = 256,
                                        .policy = OverflowPolicy::kDropOldest}})
            .value();
    const absl::StatusOr<SupervisorRef> root =
        Supervisor::Start(*system_, MakeTree(world_));
    FailIf(!root.ok(), root.status().ToString());
    if (!root.ok()) return false;
    gardener_ = system_->Spawn<Gardener>(&world_).value();
    for (int i = 0; i < kDrivers; ++i) {
      drivers_.push_back(std::make_unique<Driver>(&world_, system_.get(), i));
    }
    return true;
  }

  bool IsOver() const {
    return options_.faults > 0 ? report_.faults == options_.faults
                               : Elapsed() >= options_.duration;
  }

  // Waits for the time of the next fault. False: the soak is over.
  bool AwaitNextFault() {
    const Event never;
    const int64_t handled = world_.Handled();
    const absl::Duration due = Elapsed() + options_.period;
    while (!IsOver() && world_.complaint().empty()) {
      if (options_.faults > 0
              ? world_.Handled() >= handled + options_.messages_per_fault
              : Elapsed() >= due) {
        return true;
      }
      Sample();
      (void)never.WaitWithTimeout(kLook);
    }
    return false;
  }

  void Sample() {
    const absl::Duration now = Elapsed();
    if (now < next_sample_) return;
    next_sample_ = now + kSampleEvery;
    resident_.Add(now, ReadProcessState().resident_bytes);
    heap_.Add(now, HeapBytes());
  }

  void Work() {
    absl::string_view fault = "";
    while (AwaitNextFault()) {
      TellHowItIs(fault);
      const Fault next = static_cast<Fault>(random_.Uniform(kFaults));
      fault = FaultName(next);
      Inject(next, world_, *system_, random_);
      ++report_.faults;
      AwaitAnswers(fault);
      // Of those that the gardener publishes now.
      AwaitPrice(world_.price_ledger.published() + 1);
    }
    TellHowItIs(fault);
  }

  // Every clerk is there, and answers.
  void AwaitAnswers(absl::string_view fault) {
    const MonotonicTime deadline = RealClock().Now() + options_.patience;
    for (int clerk = 0; clerk < kClerks; ++clerk) {
      // What a kill or a restart takes away is asked again.
      absl::Status status;
      do {
        Receipt receipt(world_.asks);
        status = world_.clerks[clerk]
                     .Call<Ask>(receipt, 0)
                     .Within(deadline - RealClock().Now())
                     .Wait()
                     .status();
        receipt.Note(status);
        // Its answer now and then.
        if (absl::IsFailedPrecondition(status)) status = absl::OkStatus();
      } while (!status.ok() && RealClock().Now() < deadline);
      FailIf(!status.ok(),
             absl::StrCat("clerk ", clerk, " does not answer after the fault '",
                          fault, "': ", status.ToString()));
    }
  }

  // It comes to all whom it was promised.
  void AwaitPrice(int64_t number) {
    std::string missing;
    const bool all_came = system_->executor().RunUntil(
        [&] {
          missing = world_.price_ledger.Missing(number);
          return missing.empty();
        },
        RealClock().Now() + options_.patience);
    if (!all_came) world_.Complain(missing);
  }

  void TellHowItIs(absl::string_view fault) {
    const ProcessState state = ReadProcessState();
    const int64_t handled = world_.Handled();
    const absl::Duration now = Elapsed();
    const double seconds = absl::ToDoubleSeconds(now - told_at_);
    tell_(absl::StrFormat(
        "%6.0f s  %11d handled (%7.0f/s)  rss %6.1f MiB  heap %5.2f MiB  "
        "threads %3d  fds %2d  "
        "actors %4d  waiting %6d  envelopes and frames %5.1f MiB  cells %4.1f "
        "MiB  dead letters %8d  starts %5d%s%s",
        absl::ToDoubleSeconds(now), handled,
        seconds > 0 ? (handled - told_handled_) / seconds : 0,
        Mebibytes(state.resident_bytes), Mebibytes(HeapBytes()), state.threads,
        state.open_files, system_->live_actors(), world_.Waiting(),
        Mebibytes(EnvelopePool::HeldBytes()),
        Mebibytes(troupe::internal::CellPool::HeldBytes()),
        system_->dead_letters(), world_.instances.load(),
        fault.empty() ? "" : "  after: ", fault));
    told_at_ = now;
    told_handled_ = handled;
  }

  // Lets everybody finish, and ends the system.
  void End() {
    world_.CalmDown();
    drivers_.clear();
    const bool finished =
        system_->executor().RunUntil([this] { return world_.Waiting() == 0; },
                                     RealClock().Now() + options_.patience);
    FailIf(!finished, absl::StrCat(world_.Waiting(),
                                   " messages wait that nobody handles"));
    queued_ = world_.Waiting();
    AwaitPrice(world_.price_ledger.published());
    const absl::Status status = system_->Shutdown();
    FailIf(!status.ok(), status.ToString());
    dead_letters_ = Subscription();
    system_ = nullptr;
    report_.handled = world_.Handled();
  }

  void Judge() {
    for (Account* const account :
         {&world_.items, &world_.asks, &world_.pages}) {
      const std::string discrepancy = account->Discrepancy();
      FailIf(!discrepancy.empty(), discrepancy);
      report_.summary.push_back(account->ToString());
    }
    JudgeTicksAndNews();
    FailIf(!world_.complaint().empty(), world_.complaint());
    const ProcessState after = ReadProcessState();
    FailIf(!AwaitThreads(before_.threads),
           absl::StrCat(ReadProcessState().threads, " threads are left of ",
                        before_.threads));
    FailIf(!kSanitized && after.open_files != before_.open_files,
           absl::StrCat(after.open_files, " files are open, and ",
                        before_.open_files, " were"));
    const double resident = resident_.BytesPerMinute();
    const double heap = heap_.BytesPerMinute();
    if (Elapsed() >= options_.long_enough) {
      FailIf(resident > options_.resident_bytes_per_minute,
             absl::StrFormat("resident memory grows by %.0f bytes per minute",
                             resident));
      FailIf(heap > options_.heap_bytes_per_minute,
             absl::StrFormat("the heap grows by %.0f bytes per minute", heap));
    }
    report_.summary.push_back(absl::StrFormat(
        "calls of drivers: %d answered, %d failed; clerks started: %d; prices "
        "seen: %d; queued at the end: %d",
        world_.answers.load(), world_.failed_calls.load(),
        world_.instances.load(), world_.prices_seen.load(), queued_));
    report_.summary.push_back(absl::StrFormat(
        "over the second half: %+.0f resident bytes per minute, %+.0f of the "
        "heap; after the end %.1f MiB resident, threads %d, files %d",
        resident, heap, Mebibytes(after.resident_bytes), after.threads,
        after.open_files));
  }

  void JudgeTicksAndNews() {
    // Those that were cancelled or ended with their actor leave no trace.
    FailIf(world_.ticks.Alive() != 0,
           absl::StrCat(world_.ticks.Alive(), " ticks outlive their actors"));
    // Shared messages have no token: who took them says how many there were.
    const Account& news = world_.news;
    const int64_t lost = news.Count(Fate::kMade) - news.Count(Fate::kHandled) -
                         news.Count(Fate::kDead);
    FailIf(lost != 0, absl::StrCat("news: ", lost,
                                   " are neither handled nor "
                                   "dead letters"));
    report_.summary.push_back(world_.ticks.ToString());
    report_.summary.push_back(absl::StrFormat(
        "news: %d made, %d handled, %d dead letters", news.Count(Fate::kMade),
        news.Count(Fate::kHandled), news.Count(Fate::kDead)));
  }

  const SoakOptions options_;
  const absl::FunctionRef<void(absl::string_view)> tell_;
  SoakReport report_;
  Random random_;
  World world_;
  const ProcessState before_;
  const MonotonicTime began_;
  Silence silence_;
  std::unique_ptr<ActorSystem> system_;
  Subscription dead_letters_;
  ActorRef<Item> gardener_;
  std::vector<std::unique_ptr<Driver>> drivers_;
  MemorySlope resident_;
  MemorySlope heap_;
  absl::Duration next_sample_;
  absl::Duration told_at_;
  int64_t told_handled_ = 0;
  int64_t queued_ = 0;
};

}  // namespace

SoakReport RunSoak(const SoakOptions& options,
                   absl::FunctionRef<void(absl::string_view)> tell) {
  return Soak(options, tell).Run();
}

}  // namespace troupe::testing
