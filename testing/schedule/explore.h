// Runs a piece of concurrent code under every schedule, up to a bound, and says
// which one breaks it.
//
// The code under test takes its atomics from a template parameter
// (base/atomics.h); here that is ScheduledAtomics (scheduled_atomics.h), whose
// every operation is a point at which another thread may go on. Threads are
// fibers of the calling thread, so a run is decided by nothing but the choices
// made at these points, and can be repeated.
//
// What is found: a failed Check(), a data race on a ScheduledCell, threads that
// wait for one another, a run without end.
//
// How far it searches. With preemptions = kAny every schedule is tried; with
// n, every one with up to n preemptions (switches away from a thread that could
// go on): most errors need one or two. With MemoryModel::kWeak a load may also
// return an older store, as often as stale_reads says. Schedules that differ
// only in the order of steps that have nothing to do with one another count
// once. Then random_schedules more are drawn without these bounds.
//
//   Result result = Explore({.name = "counter"}, [](Execution& run) {
//     ScheduledAtomics::Atomic<int> count(0);
//     for (int i = 0; i < 2; ++i) {
//       run.Spawn("adder", [&] { count.store(count.load() + 1); });
//     }
//     run.Join();
//     Check(count.load() == 2, "an addition was lost");
//   });
//   EXPECT_EQ(result.report, "");  // Fails, and shows the schedule.
//
// A report names the schedule. With TROUPE_SCHEDULE='counter=2:1' in the
// environment (bazel test --test_env) Explore() runs that one only, and writes
// its steps to stderr.
//
// Limits: 7 threads besides the body, 64 atomics; see memory.h for what of the
// C++ memory model is not played.
// Blocking: a run that waits for anything but its own threads hangs.
// Thread safety: none; one exploration at a time.
#ifndef TROUPE_TESTING_SCHEDULE_EXPLORE_H_
#define TROUPE_TESTING_SCHEDULE_EXPLORE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "troupe/testing/schedule/machine.h"
#include "troupe/testing/schedule/options.h"

namespace troupe::schedule {

struct Result {
  // What went wrong, in a line; empty if nothing did.
  std::string failure;
  // With the schedule and its steps.
  std::string report;
  int64_t schedules = 0;
  // The exhaustive search came to its end.
  bool complete = false;
};

// One run of the body.
class Execution {
 public:
  // For Explore().
  explicit Execution(internal::Machine& machine) : machine_(machine) {}
  Execution(const Execution&) = delete;
  Execution& operator=(const Execution&) = delete;

  // Adds a thread, which begins with Join(). Two may have the same name.
  void Spawn(std::string name, std::function<void()> body);

  // Runs the threads to their ends. What they did is known to the body then.
  // Once for each run.
  void Join();

  // Tries every number below `options`. From the body or a thread.
  int Choose(int options);

  // What reports and Options::mutate call the atomics and cells within
  // `object`.
  template <typename T>
  void Label(const T& object, std::string label) {
    machine_.Label(&object, sizeof(object), std::move(label));
  }

 private:
  internal::Machine& machine_;
};

// Runs `body` again and again until something fails or all is tried. `body`
// must depend on nothing but its Execution, and must not call Explore().
Result Explore(const Options& options,
               absl::FunctionRef<void(Execution&)> body);

// Ends the exploration unless `condition` holds; does not return then. From the
// body or a thread, but not from a destructor.
void Check(bool condition, absl::string_view message);

// Adds a line to the steps that a report shows.
void Note(absl::string_view text);

// Waits as ScheduledAtomics::SpinPause() does: until another thread wrote to
// something that this one loaded since it last paused. Unlike there, such a
// write need not come: returns false once every thread waits here or has ended,
// and from then on.
bool PauseOrEnd();

}  // namespace troupe::schedule

#endif  // TROUPE_TESTING_SCHEDULE_EXPLORE_H_
