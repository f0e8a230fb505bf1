// What it costs to send to a group whose members are on another node: one copy
// crosses, whatever their number.
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "benchmark/benchmark.h"
#include "troupe/actor/actor.h"
#include "troupe/cluster/internal/cluster_testing.h"
#include "troupe/cluster/node.h"
#include "troupe/registry/group.h"
#include "troupe/registry/groups.h"

namespace troupe {
namespace {

struct News {
  static constexpr absl::string_view kWireName = "bench.News";
  std::string text;
};

// Counts what has come, for all of them.
class Arrivals {
 public:
  void Add() {
    if (arrived_.fetch_add(1, std::memory_order_relaxed) + 1 != awaited_)
      return;
    absl::MutexLock lock(&mu_);
    done_ = true;
  }
  void Expect(int64_t more) {
    absl::MutexLock lock(&mu_);
    done_ = false;
    awaited_ = arrived_.load(std::memory_order_relaxed) + more;
  }
  void Await() {
    absl::MutexLock lock(&mu_);
    mu_.Await(absl::Condition(&done_));
  }

 private:
  std::atomic<int64_t> arrived_{0};
  std::atomic<int64_t> awaited_{0};
  absl::Mutex mu_;
  bool done_ ABSL_GUARDED_BY(mu_) = false;
};

class Reader : public Actor<News> {
 public:
  explicit Reader(Arrivals& arrivals) : arrivals_(arrivals) {}
  void Handle(const News&) { arrivals_.Add(); }

 private:
  Arrivals& arrivals_;
};

// Members on b; a sends, to the group or to one after the other.
void Send(benchmark::State& state, bool to_group) {
  const int64_t members = state.range(0);
  internal::TestCluster cluster({"a", "b"});
  const auto a = cluster.Start("a");
  const auto b = cluster.Start("b");
  const Group<News> group("readers");
  Groups& here = a->system().Get<Groups>();
  Arrivals arrivals;
  if (!a->node().Share(group).ok() || !b->node().Share(group).ok()) {
    return state.SkipWithError("the group is not shared");
  }
  std::vector<ActorRef<News>> readers;
  for (int64_t i = 0; i < members; ++i) {
    readers.push_back(b->system().Spawn<Reader>(std::ref(arrivals)).value());
  }
  if (!b->system().Get<Groups>().Join(group, readers).ok()) {
    return state.SkipWithError("nobody has joined the group");
  }
  a->AwaitPeer("b");
  // One call joined them all, and so one change tells of all.
  while (here.Members(group).value().size() < readers.size()) {
    (void)a->node().ResolveAndWait<News>("none@b");
  }
  const auto far = here.Members(group).value();
  const std::string text(100, 'x');
  constexpr int kAtOnce = 16;
  for (auto _ : state) {
    arrivals.Expect(kAtOnce * members);
    for (int i = 0; i < kAtOnce; ++i) {
      if (to_group) {
        here.Send<News>(group, text);
      } else {
        for (const auto& member : far) member.Send<News>(text);
      }
    }
    arrivals.Await();
  }
  state.SetItemsProcessed(state.iterations() * kAtOnce * members);
}
void BM_SendToGroupElsewhere(benchmark::State& state) { Send(state, true); }
void BM_SendToEachElsewhere(benchmark::State& state) { Send(state, false); }
BENCHMARK(BM_SendToGroupElsewhere)
    ->ArgName("members")
    ->Arg(1)
    ->Arg(100)
    ->Arg(1000)
    ->UseRealTime();
BENCHMARK(BM_SendToEachElsewhere)
    ->ArgName("members")
    ->Arg(1)
    ->Arg(100)
    ->Arg(1000)
    ->UseRealTime();

}  // namespace
}  // namespace troupe
