// Three nodes count for a fourth one, under all that can happen to hosts and
// links: each piece counts once.
#include <fstream>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/reply_to.h"
#include "troupe/cluster/authorization.h"
#include "troupe/cluster/node.h"
#include "troupe/cluster/spawn.h"
#include "troupe/examples/cluster_word_count/counting.h"
#include "troupe/examples/cluster_word_count/text_counter.h"
#include "troupe/examples/word_count/counting.h"
#include "troupe/examples/word_count/word_counts.h"
#include "troupe/testing/run_simulation.h"
#include "troupe/testing/scale.h"
#include "troupe/testing/simulated_cluster.h"
#include "troupe/testing/simulated_node.h"
#include "troupe/testing/simulation.h"

namespace troupe::word_count {
namespace {

using testing::ForEachSeed;
using testing::SimulatedCluster;
using testing::SimulatedHost;
using testing::Simulation;

// A file of so many words.
class Text {
 public:
  explicit Text(int words) {
    std::string text;
    for (int i = 0; i < words; ++i) {
      absl::StrAppend(&text, std::string(1 + i % 13, 'a' + i % 7), " ");
    }
    std::ofstream(path_, std::ios::binary) << text;
    counts_.Add(text);
  }

  const std::string& path() const { return path_; }
  bool IsCounted(const std::optional<Outcome>& outcome) const {
    return outcome.has_value() && outcome->inputs == 1 &&
           outcome->counts.All() == counts_.All() &&
           outcome->counts.bytes() == counts_.bytes();
  }

 private:
  const std::string path_ = ::testing::TempDir() + "/counting_sim_test.txt";
  WordCounts counts_;
};

NodesCountingOptions Options(const Text& text,
                             std::function<void(absl::string_view)> on_event) {
  return {.paths = {text.path()},
          .piece_bytes = 128,
          .piece_within = absl::Seconds(2),
          .on_event = std::move(on_event)};
}

// Fails now and then when it has answered.
class FailingCounter : public Actor<CountText> {
 public:
  void Handle(const CountText& m, ReplyTo<TextCounts> reply) {
    WordCounts counts;
    counts.Add(m.text);
    (void)reply.Send(TextCounts{counts.All(), counts.bytes()});
    if (m.text.size() % 2 == 0) Fail(absl::InternalError("planned"));
  }
};

// Its end may be heard before its answer: then the piece was given to another
// one already, where one is free. So there are fewer pieces than counters.
TEST(CountingSimTest, PieceCountsOnceWhenItsCounterFails) {
  const Text text(30);
  int lost_with_piece = 0;
  ForEachSeed(200, [&](Simulation& sim) {
    auto& outcome = sim.Make<std::optional<Outcome>>();
    auto& options = sim.Make<NodesCountingOptions>(
        Options(text, [&lost_with_piece](absl::string_view event) {
          if (absl::StrContains(event, "is lost with piece")) ++lost_with_piece;
        }));
    auto& cluster = sim.Make<SimulatedCluster>(sim);
    const std::vector<std::string> names = {"a", "b", "c", "boss"};
    for (const std::string& name : names) {
      cluster.Add(name, [&, names](SimulatedHost& host) {
        Node& node = testing::StartNode(
            host, names, {.authorization = Authorization::Everything()});
        if (host.name() == "boss") {
          (void)StartCountOnNodes(options, host.system(), node, outcome)
              .value();
        } else {
          EXPECT_EQ(ExportFactory<FailingCounter()>(node, kCounterFactory),
                    absl::OkStatus());
        }
      });
    }
    sim.PlayFor(absl::Seconds(10));
    sim.Check("each is counted once", [&] { return text.IsCounted(outcome); });
  });
  EXPECT_GT(lost_with_piece, testing::Scaled(200))
      << "the order was always the same";
}

TEST(CountingSimTest, EachPieceCountsOnceWhateverFails) {
  const Text text(3000);
  int lost = 0;
  ForEachSeed(40, [&](Simulation& sim) {
    auto& outcome = sim.Make<std::optional<Outcome>>();
    auto& options = sim.Make<NodesCountingOptions>(
        Options(text, [&lost](absl::string_view event) {
          if (absl::StrContains(event, "is lost with piece")) ++lost;
        }));
    auto& cluster = sim.Make<SimulatedCluster>(sim);
    const std::vector<std::string> names = {"a", "b", "c", "boss"};
    for (const std::string& name : names) {
      cluster.Add(name, [&, names](SimulatedHost& host) {
        Node& node =
            testing::StartNode(host, names,
                               {.heartbeat = absl::Milliseconds(200),
                                .silence = absl::Milliseconds(600),
                                .authorization = Authorization::Everything()});
        if (host.name() == "boss") {
          (void)StartCountOnNodes(options, host.system(), node, outcome)
              .value();
        } else {
          EXPECT_EQ(OfferCounting(node), absl::OkStatus());
        }
      });
      if (name == "boss") continue;
      cluster.MayCrash(name, absl::Seconds(1),
                       {.probability = 0.001, .at_most_times = 2});
      cluster.MayPause(name, absl::Seconds(1),
                       {.probability = 0.001, .at_most_times = 2});
    }
    cluster.MayPartition(absl::Seconds(1),
                         {.probability = 0.001, .at_most_times = 3});
    cluster.MayReset({.probability = 0.02, .at_most_times = 40});
    sim.PlayFor(absl::Seconds(4));
    cluster.Heal();
    sim.PlayFor(absl::Seconds(10));
    sim.Check("each is counted once", [&] { return text.IsCounted(outcome); });
  });
  EXPECT_GT(lost, testing::Scaled(200)) << "it was no fair weather";
}

}  // namespace
}  // namespace troupe::word_count
