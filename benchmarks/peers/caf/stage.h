// What the programs of one peer share: how a workload is started, timed,
// checked and printed. The counterpart of ours is benchmarks/stage.h; the flags
// and the rows of the CSV are those of //benchmarks:workloads.
//
// CAF 0.17, as Debian 12 packages it. Actors are classes on event_based_actor,
// messages are built-in types and atoms, the scheduler is the default one.
#ifndef TROUPE_BENCHMARKS_PEERS_CAF_STAGE_H_
#define TROUPE_BENCHMARKS_PEERS_CAF_STAGE_H_

#include <caf/all.hpp>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

namespace peer {

// After how many sends producers and drivers let others run, by a message to
// themselves.
inline constexpr int kSendsPerTurn = 256;

// One run of a workload.
//
// Thread safety: Check() and Finish() from any actor; all else belongs to the
// thread that made the stage.
class Stage {
 public:
  Stage(caf::actor_system& system, double scale)
      : system_(system), scale_(scale) {}

  caf::actor_system& system() { return system_; }

  // As many as the scale wants instead of `operations`; at least one.
  int64_t Scaled(int64_t operations) const;

  // Begins the measurement. Returns `operations`.
  int64_t Begin(int64_t operations);

  // Unless `actual` is as expected, ends the program with an error that says
  // so.
  void Check(const char* what, int64_t actual, int64_t expected) {
    if (actual != expected) Fail(what, actual, expected);
  }

  // Ends the measurement: all is done.
  void Finish();

  // Keeps `actor` alive until the run is done, and ends it then. For actors
  // that nobody refers to, and for those that refer to each other in a circle.
  void KeepUntilDone(caf::actor actor) { kept_.push_back(std::move(actor)); }

  // Waits for Finish(), at most five minutes, then for the ends of all actors.
  void Await();

  int64_t operations() const { return operations_; }
  double seconds() const { return seconds_; }
  int64_t peak_rss_bytes() const { return peak_rss_bytes_; }
  int64_t rss_growth_bytes() const { return rss_growth_bytes_; }

 private:
  [[noreturn]] static void Fail(const char* what, int64_t actual,
                                int64_t expected);

  caf::actor_system& system_;
  const double scale_;
  std::vector<caf::actor> kept_;
  int64_t operations_ = 0;
  int64_t rss_before_ = 0;
  std::chrono::steady_clock::time_point begun_;

  std::mutex mu_;
  std::condition_variable finished_changed_;
  bool finished_ = false;  // Guarded by mu_, as what follows until it is true.
  double seconds_ = 0;
  int64_t peak_rss_bytes_ = 0;
  int64_t rss_growth_bytes_ = 0;
};

void StartAsk(Stage& stage);
void StartAskOutside(Stage& stage);
void StartBig(Stage& stage);
void StartCounting(Stage& stage);
void StartFanin(Stage& stage);
void StartForkJoinCreate(Stage& stage);
void StartForkJoinThroughput(Stage& stage);
void StartIdleMemory(Stage& stage);
void StartPingPong(Stage& stage);
void StartSkynet(Stage& stage);
void StartThreadRing(Stage& stage);

}  // namespace peer

#endif  // TROUPE_BENCHMARKS_PEERS_CAF_STAGE_H_
