// Measures CAF:
//
//   main --workload=NAME --workers=N --repetitions=R [--scale=S]
//
// Prints CSV. Each run checks its own result; a wrong one ends the program.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>

#include "stage.h"

namespace peer {
namespace {

// The number behind `label` in /proc/self/status, which is in kB there.
int64_t FromStatus(const std::string& label) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.compare(0, label.size(), label) == 0) {
      return std::strtoll(line.c_str() + label.size(), nullptr, 10) * 1024;
    }
  }
  return 0;
}

void ResetPeak() { std::ofstream("/proc/self/clear_refs") << "5"; }

// After how many messages an actor lets others run. By default there is no
// limit: then an actor handles its message to itself at once, nobody else runs
// until it has sent or spawned all, and the second worker hardly gets at what
// is queued. Of 1, 16, 300 and none, 16 is at its best in the most workloads.
constexpr size_t kMessagesPerTurn = 16;

struct Workload {
  const char* name;
  void (*start)(Stage& stage);
  bool keeps_actors = false;
};

constexpr Workload kWorkloads[] = {
    {"ping_pong", StartPingPong},
    {"counting", StartCounting},
    {"fanin", StartFanin},
    {"thread_ring", StartThreadRing},
    {"fork_join_create", StartForkJoinCreate},
    {"idle_memory", StartIdleMemory, true},
    {"fork_join_throughput", StartForkJoinThroughput},
    {"big", StartBig},
    {"ask", StartAsk},
    {"skynet", StartSkynet},
    {"ask_outside", StartAskOutside},
};

struct Flags {
  std::string workload;
  int workers = 1;
  int repetitions = 5;
  double scale = 1;
};

Flags Parse(int argc, char** argv) {
  Flags flags;
  for (int i = 1; i < argc; ++i) {
    const std::string flag = argv[i];
    const size_t equals = std::min(flag.find('='), flag.size() - 1);
    const std::string name = flag.substr(0, equals);
    const std::string value = flag.substr(equals + 1);
    if (name == "--workload") {
      flags.workload = value;
    } else if (name == "--workers") {
      flags.workers = std::atoi(value.c_str());
    } else if (name == "--repetitions") {
      flags.repetitions = std::atoi(value.c_str());
    } else if (name == "--scale") {
      flags.scale = std::atof(value.c_str());
    } else {
      std::fprintf(stderr, "caf: unknown flag %s\n", argv[i]);
      std::exit(EXIT_FAILURE);
    }
  }
  return flags;
}

void RunOnce(caf::actor_system& system, const Workload& workload,
             const Flags& flags, bool cold) {
  Stage stage(system, flags.scale);
  workload.start(stage);
  stage.Await();
  std::string bytes_per_actor;
  if (workload.keeps_actors) {
    bytes_per_actor =
        std::to_string(static_cast<double>(stage.rss_growth_bytes()) /
                       static_cast<double>(stage.operations()));
  }
  std::printf("%s,%d,,%s,%lld,%.6f,%.0f,%lld,%s,\n", workload.name,
              flags.workers, cold ? "cold" : "warm",
              static_cast<long long>(stage.operations()), stage.seconds(),
              static_cast<double>(stage.operations()) / stage.seconds(),
              static_cast<long long>(stage.peak_rss_bytes()),
              bytes_per_actor.c_str());
  std::fflush(stdout);
}

}  // namespace

int64_t Stage::Scaled(int64_t operations) const {
  return std::max<int64_t>(
      1, static_cast<int64_t>(static_cast<double>(operations) * scale_));
}

int64_t Stage::Begin(int64_t operations) {
  operations_ = operations;
  static const int64_t rss_at_first = FromStatus("VmRSS:");
  rss_before_ = rss_at_first;
  ResetPeak();
  begun_ = std::chrono::steady_clock::now();
  return operations;
}

void Stage::Finish() {
  const std::chrono::duration<double> elapsed =
      std::chrono::steady_clock::now() - begun_;
  const std::lock_guard<std::mutex> lock(mu_);
  seconds_ = elapsed.count();
  peak_rss_bytes_ = FromStatus("VmHWM:");
  rss_growth_bytes_ = FromStatus("VmRSS:") - rss_before_;
  finished_ = true;
  finished_changed_.notify_one();
}

void Stage::Await() {
  std::unique_lock<std::mutex> lock(mu_);
  if (!finished_changed_.wait_for(lock, std::chrono::minutes(5),
                                  [this] { return finished_; })) {
    std::fprintf(stderr, "caf: not finished after five minutes\n");
    std::_Exit(EXIT_FAILURE);
  }
  for (const caf::actor& actor : kept_) {
    caf::anon_send_exit(actor, caf::exit_reason::user_shutdown);
  }
  kept_.clear();
  system_.await_all_actors_done();
}

void Stage::Fail(const char* what, int64_t actual, int64_t expected) {
  std::fprintf(stderr, "caf: %s: %lld instead of %lld\n", what,
               static_cast<long long>(actual),
               static_cast<long long>(expected));
  std::_Exit(EXIT_FAILURE);
}

}  // namespace peer

int main(int argc, char** argv) {
  const peer::Flags flags = peer::Parse(argc, argv);
  for (const peer::Workload& workload : peer::kWorkloads) {
    if (workload.name != flags.workload) continue;
    caf::actor_system_config config;
    config.set("scheduler.max-threads", static_cast<size_t>(flags.workers));
    config.set("scheduler.max-throughput", peer::kMessagesPerTurn);
    caf::actor_system system(config);
    for (int i = 0; i < flags.repetitions; ++i) {
      peer::RunOnce(system, workload, flags, i == 0);
    }
    return EXIT_SUCCESS;
  }
  std::fprintf(stderr, "caf: unknown workload %s\n", flags.workload.c_str());
  return EXIT_FAILURE;
}
