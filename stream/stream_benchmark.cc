// What publishing costs: deliveries to 100 actors per second, by policy, with
// one worker and with two. The publisher publishes so many messages in a turn,
// and goes on by a message to itself, so that subscribers handle them
// meanwhile.
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/mutex.h"
#include "benchmark/benchmark.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/internal/shared_message.h"
#include "troupe/stream/output_port.h"

namespace troupe {
namespace {

constexpr int kSubscribers = 100;
constexpr int kMessages = 512;  // Each iteration; the last one is seen by all.

struct Price {
  int64_t number;
  absl::BlockingCounter* done;
};

class Reader : public Actor<Price> {
 public:
  void Handle(const Price& m) {
    if (m.number == kMessages) m.done->DecrementCount();
  }
};

struct Go {
  int64_t number;  // The next one.
  absl::BlockingCounter* done;
};

class Publisher : public Actor<Go> {
 public:
  Publisher(PortRef<Price> port, int64_t per_turn)
      : port_(std::move(port)), per_turn_(per_turn) {}

  void Handle(Go m) {
    for (int64_t i = 0; i < per_turn_; ++i) port_.Publish(m.number++, m.done);
    if (m.number <= kMessages) self().Send<Go>(m.number, m.done);
  }

 private:
  const PortRef<Price> port_;
  const int64_t per_turn_;
};

void PublishToAll(benchmark::State& state, Lag lag) {
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  const auto system =
      ActorSystem::Create({.workers = static_cast<int>(state.range(1))})
          .value();
  OutputPort<Price> port;
  for (int i = 0; i < kSubscribers; ++i) {
    port.Subscribe(system->Spawn<Reader>().value(),
                   {.lag = lag, .limit = kMessages})
        .Detach();
  }
  const auto publisher =
      system->Spawn<Publisher>(port.ref(), state.range(0)).value();
  for (auto _ : state) {
    absl::BlockingCounter done(kSubscribers);
    publisher.Send<Go>(1, &done);
    done.Wait();
  }
  state.SetItemsProcessed(state.iterations() * kMessages * kSubscribers);
}

void BM_PublishLossless(benchmark::State& state) {
  PublishToAll(state, Lag::kLossless);
}
void BM_PublishDropOldest(benchmark::State& state) {
  PublishToAll(state, Lag::kDropOldest);
}
void BM_PublishDropNewest(benchmark::State& state) {
  PublishToAll(state, Lag::kDropNewest);
}
// Of the messages of a turn, each subscriber handles the last one.
void BM_PublishConflate(benchmark::State& state) {
  PublishToAll(state, Lag::kConflate);
}

// The floor: messages that are shared, without a port.
class Sharer : public Actor<Go> {
 public:
  Sharer(std::vector<ActorRef<Price>> readers, int64_t per_turn)
      : readers_(std::move(readers)), per_turn_(per_turn) {}

  void Handle(Go m) {
    for (int64_t i = 0; i < per_turn_; ++i) {
      internal::SharedSender<Price> sender(
          internal::SharedMessage<Price>::Make(m.number++, m.done),
          kSubscribers);
      for (const ActorRef<Price>& reader : readers_) sender.Send(reader);
    }
    if (m.number <= kMessages) self().Send<Go>(m.number, m.done);
  }

 private:
  const std::vector<ActorRef<Price>> readers_;
  const int64_t per_turn_;
};

void BM_SendShared(benchmark::State& state) {
  const auto system =
      ActorSystem::Create({.workers = static_cast<int>(state.range(1))})
          .value();
  std::vector<ActorRef<Price>> readers;
  for (int i = 0; i < kSubscribers; ++i) {
    readers.push_back(system->Spawn<Reader>().value());
  }
  const auto sharer =
      system->Spawn<Sharer>(std::move(readers), state.range(0)).value();
  for (auto _ : state) {
    absl::BlockingCounter done(kSubscribers);
    sharer.Send<Go>(1, &done);
    done.Wait();
  }
  state.SetItemsProcessed(state.iterations() * kMessages * kSubscribers);
}

void Turns(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"per_turn", "workers"})
      ->ArgsProduct({{1, 32}, {1, 2}})
      ->MeasureProcessCPUTime()
      ->UseRealTime();
}
BENCHMARK(BM_SendShared)->Apply(Turns);
BENCHMARK(BM_PublishLossless)->Apply(Turns);
BENCHMARK(BM_PublishDropOldest)->Apply(Turns);
BENCHMARK(BM_PublishDropNewest)->Apply(Turns);
BENCHMARK(BM_PublishConflate)->Apply(Turns);

}  // namespace
}  // namespace troupe
