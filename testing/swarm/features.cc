#include "troupe/testing/swarm/features.h"

namespace troupe::swarm {
namespace {

// Fills `table` with values of E: some not at all, `always` in any case, the
// others as often as chance has it.
template <typename E, size_t kSize>
void Fill(std::array<E, kSize>& table, E always, Random& random) {
  constexpr size_t kValues = static_cast<size_t>(E::kCount);
  std::array<uint64_t, kValues> weights;
  uint64_t sum = 0;
  for (uint64_t& weight : weights) {
    weight = random.Uniform(2) == 0 ? 0 : 1 + random.Uniform(8);
    sum += weight;
  }
  uint64_t& base = weights[static_cast<size_t>(always)];
  sum += 4;
  base += 4;
  size_t next = 0;
  uint64_t so_far = 0;
  for (size_t value = 0; value < kValues; ++value) {
    so_far += weights[value];
    const size_t end = so_far * kSize / sum;
    while (next < end) table[next++] = static_cast<E>(value);
  }
}

}  // namespace

Features::Features(Random& random) {
  Fill(deeds_, Deed::kSend, random);
  Fill(waits_, Wait::kCall, random);
  for (uint32_t& chance : faults_) {
    chance = random.Uniform(3) == 0
                 ? 1 + static_cast<uint32_t>(random.Uniform(100))
                 : 0;
  }
  executor_.workers = 1 + static_cast<int>(random.Uniform(4));
  executor_.hand_over_probability =
      0.2 * static_cast<double>(random.Uniform(3));
  executor_.lost_seat_probability =
      0.15 * static_cast<double>(random.Uniform(3));
  budget_ = 100 + random.Uniform(random.Uniform(8) == 0 ? 3000 : 600);
  founders_ = 2 + random.Uniform(6);
  most_actors_ = founders_ + random.Uniform(random.Uniform(4) == 0 ? 200 : 24);
  from_outside_ = random.Uniform(3) == 0 ? 0 : random.Uniform(200);
  bounded_ = random.Uniform(6);
  stashes_ = random.Uniform(2) == 0 ? 0 : random.Uniform(24);
  supervisors_ = random.Uniform(2) == 0 ? 0 : random.Uniform(3);
  nested_ = random.Uniform(2) == 0 ? 0 : random.Uniform(5);
  backoffs_ = random.Uniform(2) == 0 ? 0 : random.Uniform(6);
  keeps_ =
      random.Uniform(2) == 0 ? 0 : 1 + static_cast<uint32_t>(random.Uniform(4));
  pinned_ = random.Uniform(3) == 0 ? 1 + random.Uniform(4) : 0;
  longest_ms_ = 1 + random.Uniform(random.Uniform(2) == 0 ? 8 : 100);
  violence_ = random.Uniform(4) == 0 ? 1024 : random.Uniform(300);
  shuts_down_early_ = random.Uniform(4) == 0;
}

}  // namespace troupe::swarm
