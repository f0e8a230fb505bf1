#include "troupe/testing/internal/decisions.h"

#include <algorithm>
#include <vector>

namespace troupe::testing::internal {
namespace {

// Apart from the random numbers of others that have the same seed.
constexpr uint64_t kForFaults = 0xa94e7c0d1f3685b2;

}  // namespace

Decisions::Decisions(uint64_t seed, const std::optional<Trace>& replayed)
    : seeded_(seed ^ kForFaults), replayed_(replayed) {
  if (!replayed_.has_value()) return;
  for (const Trace::Fault& fault : replayed_->faults) {
    replayed_faults_[{fault.name, fault.occasion}] = fault.amount;
  }
}

uint32_t Decisions::Choose(DeterministicExecutor::Choice kind,
                           uint32_t alternatives, uint32_t drawn,
                           uint64_t step) {
  const uint32_t number = choices_++;
  uint32_t chosen = drawn;
  if (replayed_.has_value()) {
    chosen = 0;
    const std::vector<Trace::Choice>& choices = replayed_->choices;
    if (replayed_choices_ < choices.size() &&
        choices[replayed_choices_].number == number) {
      // A shortened course may offer less here.
      chosen = choices[replayed_choices_++].taken % alternatives;
    }
  }
  if (chosen != 0) {
    taken_.choices.push_back({number, chosen, alternatives, kind, step});
  }
  return chosen;
}

bool Decisions::Occurs(Fault& fault) {
  ++fault.occasions;
  if (fault.times == fault.chance.at_most_times) return false;
  return replayed_.has_value() ? replayed_faults_.contains(Current(fault))
                               : seeded_.Bernoulli(fault.chance.probability);
}

int64_t Decisions::Amount(const Fault& fault, int64_t most) {
  if (!replayed_.has_value()) {
    return 1 +
           static_cast<int64_t>(seeded_.Uniform(static_cast<uint64_t>(most)));
  }
  return std::clamp(replayed_faults_[Current(fault)], int64_t{1}, most);
}

void Decisions::Happened(Fault& fault, int64_t amount) {
  ++fault.times;
  taken_.faults.push_back({fault.name, fault.occasions - 1, amount});
}

}  // namespace troupe::testing::internal
