#include "troupe/testing/internal/minimize.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <utility>

namespace troupe::testing::internal {
namespace {

using Deltas = std::vector<size_t>;

// Those of part `i`, of `parts` as even ones as can be, or all others.
Deltas Part(const Deltas& deltas, size_t i, size_t parts, bool complement) {
  const auto begin = deltas.begin() + deltas.size() * i / parts;
  const auto end = deltas.begin() + deltas.size() * (i + 1) / parts;
  if (!complement) return Deltas(begin, end);
  Deltas others(deltas.begin(), begin);
  others.insert(others.end(), end, deltas.end());
  return others;
}

}  // namespace

Deltas Minimize(size_t count,
                absl::FunctionRef<std::optional<bool>(const Deltas&)> fails) {
  Deltas needed(count);
  std::iota(needed.begin(), needed.end(), 0);
  if (needed.empty()) return needed;
  const std::optional<bool> without_any = fails({});
  if (!without_any.has_value()) return needed;
  if (*without_any) return {};
  size_t parts = 2;
  while (needed.size() > 1) {
    // With two parts, each is the other's complement.
    bool reduced = false;
    for (const bool complement : {false, true}) {
      if (complement && parts == 2) continue;
      for (size_t i = 0; i < parts && !reduced; ++i) {
        Deltas tried = Part(needed, i, parts, complement);
        const std::optional<bool> failed = fails(tried);
        if (!failed.has_value()) return needed;
        if (!*failed) continue;
        needed = std::move(tried);
        parts = complement ? parts - 1 : 2;
        reduced = true;
      }
    }
    if (reduced) continue;
    if (parts == needed.size()) break;
    parts = std::min(2 * parts, needed.size());
  }
  return needed;
}

}  // namespace troupe::testing::internal
