#include "troupe/testing/schedule/choices.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace troupe::schedule::internal {

Search::Search(int preemptions, int stale_reads)
    : budget_{preemptions, stale_reads}, left_(budget_) {}

bool Search::Next() {
  if (begun_) {
    while (!path_.empty() && path_.back().chosen + 1 == path_.back().options) {
      path_.pop_back();
    }
    if (path_.empty()) return false;
    ++path_.back().chosen;
  }
  begun_ = true;
  depth_ = 0;
  known_ = false;
  left_ = budget_;
  return true;
}

void Search::Pay(ChoiceKind kind, int chosen) {
  if (chosen == 0) return;
  if (kind == ChoiceKind::kPreempt && budget_.preemptions != kAny) {
    --left_.preemptions;
  }
  if (kind == ChoiceKind::kRead && budget_.stale_reads != kAny) {
    --left_.stale_reads;
  }
}

bool Search::Visited(const Choice& choice) {
  uint64_t key = choice.past;
  for (const uint64_t part : {static_cast<uint64_t>(choice.kind),
                              static_cast<uint64_t>(choice.current),
                              static_cast<uint64_t>(left_.stale_reads)}) {
    key = (key ^ part) * 0x9e3779b97f4a7c15;
    key ^= key >> 32;
  }
  const auto [at, is_new] = visited_.try_emplace(key, left_.preemptions);
  if (is_new) return false;
  if (at->second >= left_.preemptions) return true;
  at->second = left_.preemptions;
  return false;
}

int Search::Choose(const Choice& choice) {
  if (known_) return 0;
  if ((choice.kind == ChoiceKind::kPreempt && left_.preemptions == 0) ||
      (choice.kind == ChoiceKind::kRead && left_.stale_reads == 0)) {
    return 0;
  }
  if (depth_ == path_.size()) {
    if (Visited(choice)) {
      known_ = true;
      return 0;
    }
    path_.push_back({static_cast<uint8_t>(choice.options), 0});
  }
  const int chosen = path_[depth_++].chosen;
  Pay(choice.kind, chosen);
  return chosen;
}

Lottery::Lottery(uint64_t seed, int preemptions, int expected_choices)
    : random_(seed) {
  for (uint64_t& priority : priority_) priority = random_.NextUint64();
  for (int i = 0; i < preemptions; ++i) {
    falls_at_.push_back(static_cast<int>(random_.Uniform(expected_choices)));
  }
}

int Lottery::Choose(const Choice& choice) {
  if (choice.threads.empty()) {
    if (choice.kind == ChoiceKind::kRead && !random_.Bernoulli(0.25)) return 0;
    return static_cast<int>(random_.Uniform(choice.options));
  }
  if (std::find(falls_at_.begin(), falls_at_.end(), choices_++) !=
      falls_at_.end()) {
    // Below all that were drawn, and below those that fell earlier.
    priority_[choice.threads[0]] =
        std::numeric_limits<uint16_t>::max() - static_cast<uint64_t>(choices_);
  }
  const auto first = std::max_element(
      choice.threads.begin(), choice.threads.end(),
      [this](int a, int b) { return priority_[a] < priority_[b]; });
  return static_cast<int>(first - choice.threads.begin());
}

int Replay::Choose(const Choice& choice) {
  if (next_ == choices_.size()) return 0;
  return std::min<int>(choices_[next_++], choice.options - 1);
}

std::string FormatSchedule(absl::Span<const uint8_t> choices) {
  std::string text;
  int plain = 0;
  for (const uint8_t chosen : choices) {
    if (chosen == 0) {
      ++plain;
      continue;
    }
    absl::StrAppend(&text, text.empty() ? "" : ",", plain, ":", chosen);
    plain = 0;
  }
  return text;
}

bool ParseSchedule(absl::string_view text, std::vector<uint8_t>& choices) {
  choices.clear();
  if (text.empty()) return true;
  for (const absl::string_view part : absl::StrSplit(text, ',')) {
    const std::pair<absl::string_view, absl::string_view> fields =
        absl::StrSplit(part, absl::MaxSplits(':', 1));
    uint32_t plain = 0;
    uint32_t chosen = 0;
    if (!absl::SimpleAtoi(fields.first, &plain) ||
        !absl::SimpleAtoi(fields.second, &chosen) || plain > 100000 ||
        chosen == 0 || chosen > 255) {
      return false;
    }
    choices.insert(choices.end(), plain, 0);
    choices.push_back(static_cast<uint8_t>(chosen));
  }
  return true;
}

}  // namespace troupe::schedule::internal
