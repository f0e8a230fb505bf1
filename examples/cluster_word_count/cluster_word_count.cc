// Counts the words of files, or of standard input, on the nodes of a cluster.
// In three terminals, the last one of which asks:
//
//   bazel run //examples/cluster_word_count -- --name=ann
//   bazel run //examples/cluster_word_count -- --name=bob
//   bazel run //examples/cluster_word_count -- --name=boss README.md
//
// The boss says who has which piece of the text, and prints what word_count
// prints. A node may come and go, and be killed: what it had is counted by
// another one. It ends at the end of its input (Ctrl-D). Between machines: see
// examples/cluster_node/cluster_node.h. The actors are in counting.cc.
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "troupe/base/clock.h"
#include "troupe/cluster/authorization.h"
#include "troupe/cluster/node.h"
#include "troupe/cluster/node_events.h"
#include "troupe/examples/cluster_node/cluster_node.h"
#include "troupe/examples/cluster_word_count/counting.h"
#include "troupe/examples/word_count/options.h"
#include "troupe/examples/word_count/report.h"
#include "troupe/troupe.h"

ABSL_FLAG(int64_t, piece_bytes, 256 * 1024, "How much text a piece has.");
ABSL_FLAG(absl::Duration, silence, absl::Seconds(8),
          "A node that has said nothing for so long is regarded as lost.");

namespace troupe::word_count {
namespace {

// The member that asks; all others count for it.
constexpr absl::string_view kBoss = "boss";

absl::StatusOr<std::unique_ptr<Node>> Join(ActorSystem& system) {
  // Nothing is started for another node unless a rule says so.
  Authorization rules;
  rules.Assign(kBoss, kBoss).Allow(kBoss, {Verb::kSpawn}, kCounterFactory);
  return StartNodeByFlags(system, {.cluster = "word_count",
                                   .silence = absl::GetFlag(FLAGS_silence),
                                   .authorization = std::move(rules)});
}

absl::Status Work(ActorSystem& system) {
  const auto node = Join(system);
  if (!node.ok()) return node.status();
  absl::Status status = OfferCounting(**node);
  if (!status.ok()) return status;
  PrintLine(absl::StrCat("* ", (*node)->id().name, " at ", (*node)->address()));
  for (std::string line; std::getline(std::cin, line);) continue;
  return absl::OkStatus();
}

// False: an input could not be counted.
absl::StatusOr<bool> Ask(ActorSystem& system, Options options) {
  const MonotonicTime start = RealClock().Now();
  const auto node = Join(system);
  if (!node.ok()) return node.status();
  absl::StatusOr<Outcome> outcome = CountOnNodes(
      {
          .paths = std::move(options.paths),
          .piece_bytes = static_cast<size_t>(absl::GetFlag(FLAGS_piece_bytes)),
          .on_event = &PrintLine,
      },
      system, **node);
  if (!outcome.ok()) return outcome.status();
  const Report report = {.top = outcome->counts.TopN(options.top),
                         .words = outcome->counts.words(),
                         .distinct = outcome->counts.distinct(),
                         .bytes = outcome->counts.bytes(),
                         .inputs = outcome->inputs,
                         .workers = static_cast<int>((*node)->Peers().size()),
                         .elapsed = RealClock().Now() - start,
                         .errors = std::move(outcome->errors)};
  for (const std::string& error : report.errors) {
    std::cerr << "cluster_word_count: " << error << "\n";
  }
  std::cout << (options.json ? JsonReport(report) : TextReport(report));
  return report.errors.empty();
}

absl::StatusOr<bool> Run(const std::vector<char*>& arguments) {
  absl::StatusOr<Options> options = OptionsFromFlags(arguments);
  if (!options.ok()) return options.status();
  if (absl::GetFlag(FLAGS_piece_bytes) < 1) {
    return absl::InvalidArgumentError("--piece_bytes: must be at least 1");
  }
  absl::Status status = GoWherePathsBegin();
  if (!status.ok()) return status;
  const auto system = CreateSystem({.workers = options->workers});
  if (!system.ok()) return system.status();
  const auto down = (*system)->Subscribe<NodeDown>([](const NodeDown& event) {
    PrintLine(absl::StrCat("* ", event.node.name, " has gone"));
  });
  if (absl::GetFlag(FLAGS_name) == kBoss) {
    return Ask(**system, *std::move(options));
  }
  status = Work(**system);
  if (!status.ok()) return status;
  return true;
}

}  // namespace
}  // namespace troupe::word_count

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage(
      "counts words on several nodes:\n"
      "  cluster_word_count --name=ann\n"
      "  cluster_word_count --name=boss [--top=N] [--json] [PATH...]");
  absl::SetFlag(&FLAGS_members, {"boss=127.0.0.1:7200", "ann=127.0.0.1:7201",
                                 "bob=127.0.0.1:7202"});
  const absl::StatusOr<bool> all_counted =
      troupe::word_count::Run(absl::ParseCommandLine(argc, argv));
  if (!all_counted.ok()) {
    std::cerr << "cluster_word_count: " << all_counted.status().message()
              << "\n";
  }
  return all_counted.ok() && *all_counted ? EXIT_SUCCESS : EXIT_FAILURE;
}
