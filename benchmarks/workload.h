// The workloads, each in a file of its own. How they are defined: README.md.
#ifndef TROUPE_BENCHMARKS_WORKLOAD_H_
#define TROUPE_BENCHMARKS_WORKLOAD_H_

#include "absl/strings/string_view.h"
#include "troupe/benchmarks/stage.h"

namespace troupe::benchmarks {

struct Workload {
  absl::string_view name;
  // Calls Stage::Begin(), then makes the first actors and sends; the last actor
  // calls Stage::Finish().
  void (*start)(Stage& stage);
  // Has two sides that can be kept apart.
  bool has_sides = false;
  // Is about the memory of actors that are alive at its end.
  bool keeps_actors = false;
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

// All of them, in the order of the reports.
inline constexpr Workload kWorkloads[] = {
    {.name = "ping_pong", .start = StartPingPong, .has_sides = true},
    {.name = "counting", .start = StartCounting, .has_sides = true},
    {.name = "fanin", .start = StartFanin, .has_sides = true},
    {.name = "thread_ring", .start = StartThreadRing},
    {.name = "fork_join_create", .start = StartForkJoinCreate},
    {.name = "idle_memory", .start = StartIdleMemory, .keeps_actors = true},
    {.name = "fork_join_throughput",
     .start = StartForkJoinThroughput,
     .has_sides = true},
    {.name = "big", .start = StartBig, .has_sides = true},
    {.name = "ask", .start = StartAsk, .has_sides = true},
    {.name = "skynet", .start = StartSkynet},
    {.name = "ask_outside", .start = StartAskOutside},
};

}  // namespace troupe::benchmarks

#endif  // TROUPE_BENCHMARKS_WORKLOAD_H_
