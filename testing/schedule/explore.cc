#include "troupe/testing/schedule/explore.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "troupe/base/check.h"
#include "troupe/testing/schedule/choices.h"
#include "troupe/testing/schedule/machine.h"

namespace troupe::schedule {
namespace {

using internal::Lottery;
using internal::Machine;
using internal::Replay;
using internal::Search;

using Body = absl::FunctionRef<void(Execution&)>;

static_assert(Options::kAny == Search::kAny);

bool Play(Machine& machine, internal::Chooser& chooser, Body body,
          bool with_trace) {
  const auto play = [&machine, body] {
    Execution run(machine);
    body(run);
  };
  return machine.Play(chooser, play, with_trace);
}

// Plays a schedule once more and tells its steps.
std::string Report(Machine& machine, const Options& options, Body body,
                   std::vector<uint8_t> choices) {
  const std::string schedule = internal::FormatSchedule(choices);
  Replay replay(std::move(choices));
  Play(machine, replay, body, true);
  std::string report =
      absl::StrCat(options.name, ": ",
                   machine.failure().empty() ? "no failure" : machine.failure(),
                   "\nTROUPE_SCHEDULE='", options.name, "=", schedule, "'\n");
  for (const std::string& line : machine.trace()) {
    absl::StrAppend(&report, "  ", line, "\n");
  }
  return report;
}

// Plays a run and counts it; completes `result` if it fails.
bool PlayOne(Machine& machine, internal::Chooser& chooser,
             const Options& options, Body body, Result& result) {
  ++result.schedules;
  if (Play(machine, chooser, body, false)) return true;
  result.failure = machine.failure();
  result.report = Report(machine, options, body, machine.choices());
  return false;
}

// Few preemptions first: the schedule that is found is the simplest.
std::vector<int> Levels(int preemptions) {
  std::vector<int> levels;
  for (int level = 0; level <= std::min(preemptions, 3); ++level) {
    levels.push_back(level);
  }
  if (levels.back() < preemptions) levels.push_back(preemptions);
  return levels;
}

bool ReplayWanted(const Options& options, std::vector<uint8_t>& choices) {
  const char* const wanted = std::getenv("TROUPE_SCHEDULE");
  if (wanted == nullptr) return false;
  absl::string_view text = wanted;
  if (!absl::ConsumePrefix(&text, absl::StrCat(options.name, "="))) {
    return false;
  }
  TROUPE_CHECK(internal::ParseSchedule(text, choices),
               absl::StrCat("TROUPE_SCHEDULE is no schedule: ", wanted));
  return true;
}

}  // namespace

Result Explore(const Options& options, Body body) {
  Machine machine(options);
  Result result;
  std::vector<uint8_t> wanted;
  if (ReplayWanted(options, wanted)) {
    result.schedules = 1;
    result.report = Report(machine, options, body, std::move(wanted));
    std::fputs(result.report.c_str(), stderr);
    result.failure = machine.failure();
    return result;
  }

  size_t choices = 1;
  for (const int level : Levels(options.preemptions)) {
    Search search(level, options.stale_reads);
    while (search.Next()) {
      if (result.schedules == options.max_schedules) return result;
      if (!PlayOne(machine, search, options, body, result)) return result;
      choices = std::max(choices, machine.choices().size());
    }
  }
  result.complete = true;

  for (int i = 0; i < options.random_schedules; ++i) {
    Lottery lottery(options.seed + static_cast<uint64_t>(i), 3,
                    static_cast<int>(choices));
    if (!PlayOne(machine, lottery, options, body, result)) return result;
  }
  return result;
}

void Execution::Spawn(std::string name, std::function<void()> body) {
  machine_.Spawn(std::move(name), std::move(body));
}

void Execution::Join() { machine_.Join(); }

int Execution::Choose(int options) { return machine_.ChooseData(options); }

void Check(bool condition, absl::string_view message) {
  if (!condition) Machine::Current().Fail(message);
}

void Note(absl::string_view text) { Machine::Current().Note(text); }

bool PauseOrEnd() { return Machine::Current().Pause(true); }

}  // namespace troupe::schedule
