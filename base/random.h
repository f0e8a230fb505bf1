// Random numbers that a seed decides, on every platform and in every build.
//
// Example:
//
//   Random random(seed);          // In main(): Random random(EntropySeed());
//   size_t victim = random.Uniform(workers.size());
#ifndef TROUPE_BASE_RANDOM_H_
#define TROUPE_BASE_RANDOM_H_

#include <cstdint>
#include <limits>

namespace troupe {

// The xoshiro256** generator of D. Blackman and S. Vigna ("Scrambled Linear
// Pseudorandom Number Generators", ACM TOMS 47(4), 2021), seeded by SplitMix64
// (G. Steele, D. Lea, C. Flood: "Fast Splittable Pseudorandom Number
// Generators", OOPSLA 2014). Not for secrets.
//
// Meets std::uniform_random_bit_generator. Beware that the distributions and
// shuffles of the standard library give other numbers on other platforms.
//
// Thread safety: none; each user has its own.
class Random {
 public:
  using result_type = uint64_t;

  explicit Random(uint64_t seed);

  uint64_t NextUint64();

  // A number below `bound`, each equally likely.
  // REQUIRES: bound > 0
  uint64_t Uniform(uint64_t bound);

  // True with `probability`; always from 1 on, never for 0 and below.
  bool Bernoulli(double probability);

  static constexpr uint64_t min() { return 0; }
  static constexpr uint64_t max() {
    return std::numeric_limits<uint64_t>::max();
  }
  uint64_t operator()() { return NextUint64(); }

 private:
  uint64_t state_[4];
};

// A seed from the operating system: the one source of true randomness. For
// main(), which prints it where a run is to be replayed, and for executors
// whose runs cannot be.
uint64_t EntropySeed();

}  // namespace troupe

#endif  // TROUPE_BASE_RANDOM_H_
