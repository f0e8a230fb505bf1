// Short and long messages between two nodes whose lanes are slow each by
// itself: they come in the order in which they were sent, or not at all.
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/protocol.h"
#include "troupe/actor/task.h"
#include "troupe/base/random.h"
#include "troupe/cluster/node.h"
#include "troupe/testing/run_simulation.h"
#include "troupe/testing/simulated_cluster.h"
#include "troupe/testing/simulated_node.h"
#include "troupe/testing/simulation.h"

namespace troupe {
namespace {

using testing::ForEachSeed;
using testing::SimulatedCluster;
using testing::SimulatedHost;
using testing::Simulation;

struct Note {
  static constexpr absl::string_view kWireName = "test.Note";
  int64_t speaker = 0;
  int64_t number = 0;
  std::string text;
};
// The same, with an answer of about that length.
struct Question {
  static constexpr absl::string_view kWireName = "test.Question";
  using Reply = std::string;
  int64_t speaker = 0;
  int64_t number = 0;
  std::string text;
};
struct ListenerApi : Protocol<Note, Question> {};

// What became of all.
struct Book {
  int64_t sent = 0;
  int64_t heard = 0;
  int64_t disorder = 0;
  int64_t answers = 0;
  int64_t no_answers = 0;
};

class Listener : public Actor<ListenerApi> {
 public:
  explicit Listener(Book& book) : book_(book) {}
  void Handle(const Note& m) { Hear(m.speaker, m.number); }
  std::string Handle(const Question& m) {
    Hear(m.speaker, m.number);
    return m.text;
  }

 private:
  void Hear(int64_t speaker, int64_t number) {
    int64_t& last = last_[speaker];
    if (number <= last) ++book_.disorder;
    last = number;
    ++book_.heard;
  }

  Book& book_;
  absl::flat_hash_map<int64_t, int64_t> last_;
};

struct Speak {};

// Sends some, as long as it is to, and asks now and then.
class Speaker : public Actor<Speak> {
 public:
  Speaker(Node& node, std::string path, int64_t me, int64_t rounds,
          bool gives_up, uint64_t seed, Book& book)
      : node_(node),
        path_(std::move(path)),
        me_(me),
        rounds_(rounds),
        gives_up_(gives_up),
        random_(seed),
        book_(book) {}

  void PostStart() { SendAfter<Speak>(absl::Milliseconds(20)); }

  Task<void> Handle(Speak) {
    if (listener_.IsNull()) {
      auto found = co_await node_.Resolve<ListenerApi>(path_);
      if (found.ok()) listener_ = *found;
      SendAfter<Speak>(absl::Milliseconds(20));
      co_return;
    }
    if (rounds_-- == 0) co_return;
    SendAfter<Speak>(absl::Milliseconds(5));
    for (uint64_t i = random_.Uniform(4); i != 0; --i) {
      ++book_.sent;
      listener_.Send<Note>(me_, ++number_, Text());
    }
    if (random_.Uniform(4) != 0) co_return;
    const absl::Duration patience =
        gives_up_ ? absl::Milliseconds(1 + random_.Uniform(40))
                  : absl::Minutes(1);
    ++book_.sent;
    const std::string text = Text();
    const absl::StatusOr<std::string> answer =
        co_await listener_.Call<Question>(me_, ++number_, text)
            .Within(patience);
    ++(answer.ok() ? book_.answers : book_.no_answers);
    if (answer.ok() && *answer != text) ++book_.disorder;
  }

 private:
  // Mostly short; else of up to ten frames, half of which are too long for a
  // turn.
  std::string Text() {
    const bool is_long = random_.Uniform(5) == 0;
    return std::string(random_.Uniform(is_long ? 600'000 : 100), 'x');
  }

  Node& node_;
  const std::string path_;
  const int64_t me_;
  int64_t rounds_;
  const bool gives_up_;
  Random random_;
  Book& book_;
  int64_t number_ = 0;
  ActorRef<ListenerApi> listener_;
};

// Three speakers on a, and two listeners on b.
Book& StartTalk(Simulation& sim, SimulatedCluster& cluster, int64_t rounds,
                bool gives_up) {
  Book& book = sim.Make<Book>();
  const uint64_t seed = sim.random().NextUint64();
  cluster.Add("a", [&book, rounds, gives_up, seed](SimulatedHost& host) {
    Node& node = testing::StartNode(host, {"a", "b"});
    for (int64_t i = 0; i < 3; ++i) {
      const std::string path = i == 0 ? "one@b" : "two@b";
      EXPECT_TRUE(host.system()
                      .Spawn<Speaker>(std::ref(node), path, i, rounds, gives_up,
                                      seed + i, std::ref(book))
                      .ok());
    }
  });
  cluster.Add("b", [&book](SimulatedHost& host) {
    Node& node = testing::StartNode(host, {"a", "b"});
    for (const absl::string_view name : {"one", "two"}) {
      const auto listener =
          host.system().Spawn<Listener>(std::ref(book)).value();
      EXPECT_EQ(node.Export(name, listener), absl::OkStatus());
    }
  });
  sim.Always("what is heard is in order",
             [&book] { return book.disorder == 0; });
  return book;
}

testing::SimulatedClusterOptions Slow() {
  testing::SimulatedClusterOptions options;
  options.network.link.slow_probability = 0.3;
  options.network.link.slow_delay = absl::Milliseconds(30);
  return options;
}

// §17
TEST(BulkSimTest, AllComesInOrderWhateverIsSlow) {
  ForEachSeed(10, [](Simulation& sim) {
    auto& cluster = sim.Make<SimulatedCluster>(sim, Slow());
    Book& book = StartTalk(sim, cluster, /*rounds=*/40, /*gives_up=*/false);
    sim.PlayFor(absl::Seconds(30));
    sim.Check("all is heard and answered", [&book] {
      return book.sent > 100 && book.heard == book.sent && book.answers > 5 &&
             book.no_answers == 0;
    });
  });
}

TEST(BulkSimTest, WhatIsGivenUpHoldsUpNothing) {
  ForEachSeed(10, [](Simulation& sim) {
    auto& cluster = sim.Make<SimulatedCluster>(sim, Slow());
    Book& book = StartTalk(sim, cluster, /*rounds=*/40, /*gives_up=*/true);
    sim.PlayFor(absl::Seconds(30));
    sim.Check("all is over", [&book] {
      return book.heard + book.no_answers >= book.sent &&
             book.answers + book.no_answers > 15 && book.no_answers > 0;
    });
  });
}

TEST(BulkSimTest, LostSessionsLoseAndReorderNothingElse) {
  ForEachSeed(10, [](Simulation& sim) {
    auto& cluster = sim.Make<SimulatedCluster>(sim, Slow());
    Book& book = StartTalk(sim, cluster, /*rounds=*/200, /*gives_up=*/true);
    cluster.MayReset({.probability = 0.001, .at_most_times = 4});
    sim.PlayFor(absl::Seconds(30));
    sim.Check("much is heard",
              [&book] { return book.heard > 50 && book.heard <= book.sent; });
  });
}

}  // namespace
}  // namespace troupe
