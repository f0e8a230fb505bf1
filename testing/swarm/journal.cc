#include "troupe/testing/swarm/journal.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

namespace troupe::swarm {
namespace {

constexpr std::string_view kWords[] = {
    "is born, child of",
    "starts",
    "has started",
    "runs PostStop",
    "is destroyed",
    "has ended",
    "fails",
    "asks to end",
    "sends to",
    "handles, sent by",
    "is not to get, sent by",
    "keeps, sent by",
    "has a dead letter",
    "calls",
    "serves",
    "has the end of a call of",
    "sets a timer for",
    "gets a tick of",
    "cancels a timer",
    "monitors",
    "demonitors",
    "hears the Down of",
    "links to",
    "unlinks from",
    "hears the Exit of",
    "sets aside, sent by",
    "gets back, sent by",
    "takes a name",
    "gives back a name",
    "joins a group",
    "leaves a group",
    "publishes",
    "subscribes to",
    "unsubscribes from",
    "hears news of",
    "is restarted",
    "waits for",
    "is done to from outside",
    "step",
};
static_assert(std::size(kWords) == static_cast<size_t>(What::kCount));

}  // namespace

void Journal::Break(std::string_view invariant, absl::string_view how) {
  if (broken()) return;
  invariant_ = std::string(invariant);
  report_ = absl::StrCat("invariant '", invariant_, "' is broken: ", how,
                         "\nwhat happened last:\n");
  const uint64_t told = std::min<uint64_t>(events_, kTold);
  for (uint64_t i = events_ - told + 1; i <= events_; ++i) {
    const Entry& entry = last_[i % kTold];
    const std::string_view word = kWords[static_cast<size_t>(entry.what)];
    absl::StrAppend(&report_, "  ",
                    absl::FormatDuration(absl::Nanoseconds(entry.at_ns)), " #",
                    entry.who, " ", absl::string_view(word.data(), word.size()),
                    " #", entry.whom, " (", entry.detail, ")\n");
  }
}

}  // namespace troupe::swarm
