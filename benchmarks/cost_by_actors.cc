// What a message and a life cost when there are more actors.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/base/clock.h"
#include "troupe/benchmarks/crowd.h"
#include "troupe/benchmarks/measure.h"

namespace troupe::benchmarks {
namespace {

constexpr int64_t kActors[] = {1'000, 10'000, 100'000, 1'000'000};
// At least, for each number of actors.
constexpr int64_t kHops = 2'000'000;
constexpr int64_t kLives = 1'000'000;

struct Token {
  int64_t hops_left;
};
struct Neighbour {
  ActorRef<Token> next;
};

// When the token set out, after a round in which all actors were touched.
struct Race {
  Stage& stage;
  int64_t hops;
  MonotonicTime begun = MonotonicTime();
  absl::Duration elapsed = absl::ZeroDuration();
};

class Node : public Actor<Neighbour, Token> {
 public:
  Node(Race& race, bool is_last) : race_(race), is_last_(is_last) {}

  void Handle(Neighbour neighbour) { next_ = neighbour.next; }

  void Handle(Token token) {
    if (token.hops_left == race_.hops) race_.begun = RealClock().Now();
    if (token.hops_left > 0) {
      next_.Send<Token>(token.hops_left - 1);
      return;
    }
    race_.elapsed = RealClock().Now() - race_.begun;
    if (race_.stage.Check("the token is at its last node", is_last_, true)) {
      race_.stage.Finish();
    }
  }

 private:
  Race& race_;
  const bool is_last_;
  ActorRef<Token> next_;
};

double PerOperation(absl::Duration elapsed, int64_t operations) {
  return absl::ToDoubleNanoseconds(elapsed) / static_cast<double>(operations);
}

absl::StatusOr<double> NanosecondsPerHop(const MeasureOptions& options,
                                         int64_t actors) {
  absl::StatusOr<std::unique_ptr<Stage>> stage =
      Stage::Create({.workers = options.workers});
  if (!stage.ok()) return stage.status();
  Race race{**stage, std::max(Scaled(options, kHops), 2 * actors)};
  (*stage)->Begin(race.hops);
  const int64_t hops = actors + race.hops;
  std::vector<Node::Ref> nodes;
  for (int64_t i = 0; i < actors; ++i) {
    nodes.push_back(
        (*stage)->here().Spawn<Node>(race, i == hops % actors).value());
  }
  for (int64_t i = 0; i < actors; ++i) {
    nodes[i].Send<Neighbour>(nodes[(i + 1) % actors]);
  }
  nodes[0].Send<Token>(hops);
  const absl::StatusOr<Measured> measured = (*stage)->Await(options.timeout);
  if (!measured.ok()) return measured.status();
  return PerOperation(race.elapsed, race.hops);
}

absl::StatusOr<double> NanosecondsPerLife(const MeasureOptions& options,
                                          int64_t actors) {
  absl::StatusOr<std::unique_ptr<Stage>> stage =
      Stage::Create({.workers = options.workers});
  if (!stage.ok()) return stage.status();
  const int64_t rounds = std::max<int64_t>(1, Scaled(options, kLives) / actors);
  (*stage)->Begin(rounds * actors);
  // One more, in which memory is touched for the first time.
  int64_t dispersed = -1;
  MonotonicTime begun;
  absl::Duration elapsed;
  (*stage)
      ->here()
      .Spawn<Crowd>(
          actors,
          [](const Crowd::Ref& crowd) { crowd.Send<Crowd::Disperse>(); },
          [&](const Crowd::Ref& crowd) {
            if (++dispersed == 0) begun = RealClock().Now();
            if (dispersed < rounds) {
              crowd.Send<Crowd::Gather>();
              return;
            }
            elapsed = RealClock().Now() - begun;
            (*stage)->Finish();
          })
      .value()
      .Send<Crowd::Gather>();
  const absl::StatusOr<Measured> measured = (*stage)->Await(options.timeout);
  if (!measured.ok()) return measured.status();
  return PerOperation(elapsed, rounds * actors);
}

absl::StatusOr<std::vector<double>> Run(const MeasureOptions& options) {
  std::vector<double> values;
  for (const auto measure : {NanosecondsPerHop, NanosecondsPerLife}) {
    for (const int64_t actors : kActors) {
      const absl::StatusOr<double> nanoseconds =
          measure(options, Scaled(options, actors));
      if (!nanoseconds.ok()) return nanoseconds.status();
      values.push_back(*nanoseconds);
    }
    values.push_back(values.back() / values[values.size() - 4]);
  }
  return values;
}

constexpr Figure kFigures[] = {
    {.name = "hop among 1000", .unit = "ns"},
    {.name = "hop among 10000", .unit = "ns"},
    {.name = "hop among 100000", .unit = "ns"},
    {.name = "hop among 1000000", .unit = "ns"},
    {.name = "hop among 1000000 / 1000", .unit = "ratio", .at_most = 2},
    {.name = "life among 1000", .unit = "ns"},
    {.name = "life among 10000", .unit = "ns"},
    {.name = "life among 100000", .unit = "ns"},
    {.name = "life among 1000000", .unit = "ns"},
    {.name = "life among 1000000 / 1000", .unit = "ratio", .at_most = 2},
};

}  // namespace

const Measure kCostByActors = {
    .name = "cost_by_actors", .figures = kFigures, .run = Run};

}  // namespace troupe::benchmarks
