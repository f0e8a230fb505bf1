#include "troupe/base/random.h"

#include <unistd.h>

#include <bit>
#include <cstdint>

#include "absl/numeric/int128.h"
#include "troupe/base/check.h"

namespace troupe {
namespace {

// The next number of SplitMix64, whose whole state is `counter`.
uint64_t SplitMix64(uint64_t& counter) {
  counter += 0x9e3779b97f4a7c15;  // 2^64 over the golden ratio, odd.
  uint64_t bits = counter;
  bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9;
  bits = (bits ^ (bits >> 27)) * 0x94d049bb133111eb;
  return bits ^ (bits >> 31);
}

}  // namespace

Random::Random(uint64_t seed) {
  // Never all zero, the one state that the generator cannot leave: four
  // consecutive outputs of a bijection of a counter are distinct.
  for (uint64_t& word : state_) word = SplitMix64(seed);
}

uint64_t Random::NextUint64() {
  const uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const uint64_t shifted = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

uint64_t Random::Uniform(uint64_t bound) {
  TROUPE_DCHECK(bound > 0, "no number is below 0");
  // D. Lemire, "Fast Random Integer Generation in an Interval", ACM TOMACS
  // 29(1), 2019: the high half of a product is uniform once the products whose
  // low half falls into the first 2^64 mod bound values are thrown away.
  absl::uint128 product = absl::uint128(NextUint64()) * bound;
  if (absl::Uint128Low64(product) < bound) {
    const uint64_t surplus = -bound % bound;
    while (absl::Uint128Low64(product) < surplus) {
      product = absl::uint128(NextUint64()) * bound;
    }
  }
  return absl::Uint128High64(product);
}

bool Random::Bernoulli(double probability) {
  // 53 bits: what a double in [0, 1) holds exactly.
  return static_cast<double>(NextUint64() >> 11) * 0x1p-53 < probability;
}

uint64_t EntropySeed() {
  uint64_t seed;
  TROUPE_CHECK(getentropy(&seed, sizeof(seed)) == 0,
               "the kernel gives random numbers");
  return seed;
}

}  // namespace troupe
