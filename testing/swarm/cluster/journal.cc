#include "troupe/testing/swarm/cluster/journal.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace troupe::cluster_swarm {

void Journal::Break(std::string_view invariant, absl::string_view how) {
  if (broken()) return;
  invariant_ = std::string(invariant);
  report_ = absl::StrCat("invariant '", invariant_, "' is broken at ",
                         absl::FormatDuration(now()), ": ", how,
                         "\nwhat happened last:\n");
  const uint64_t told = std::min<uint64_t>(events_, kTold);
  for (uint64_t i = events_ - told + 1; i <= events_; ++i) {
    const Entry& entry = last_[i % kTold];
    absl::StrAppend(&report_, "  ", absl::FormatDuration(entry.at), " #",
                    entry.who, " ", entry.what, " #", entry.whom, " (",
                    entry.detail, ")\n");
  }
}

}  // namespace troupe::cluster_swarm
