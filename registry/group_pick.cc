#include "troupe/registry/group_pick.h"

namespace troupe {
namespace {

// The finalizer of SplitMix64 (see base/random.h): each bit of `x` decides half
// of the bits of the result.
uint64_t Mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

}  // namespace

uint64_t GroupKey::HashOf(absl::string_view text) {
  // FNV-1a, of G. Fowler, L. Noll and P. Vo. It need not spread well: scores
  // mix it.
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  }
  return hash;
}

size_t PickByKey(absl::Span<const uint64_t> numbers, GroupKey key) {
  const uint64_t seed = Mix(key.hash());
  size_t best = 0;
  uint64_t best_score = 0;
  for (size_t i = 0; i < numbers.size(); ++i) {
    const uint64_t score = Mix(seed ^ (numbers[i] * 0x9e3779b97f4a7c15));
    // Of equal ones the older member: the order is part of the view.
    if (score > best_score || i == 0) {
      best = i;
      best_score = score;
    }
  }
  return best;
}

}  // namespace troupe
