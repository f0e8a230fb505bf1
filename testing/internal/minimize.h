// The smallest part of something that still does what the whole does.
//
//   // Which of ten deltas are needed? `fails` tries some of them.
//   std::vector<size_t> needed = Minimize(10, fails);
//
// By delta debugging: A. Zeller and R. Hildebrandt, "Simplifying and Isolating
// Failure-Inducing Input", IEEE Transactions on Software Engineering 28(2),
// 2002, there ddmin. Asks about n^2 questions at worst, and about log n where
// one delta is enough.
#ifndef TROUPE_TESTING_INTERNAL_MINIMIZE_H_
#define TROUPE_TESTING_INTERNAL_MINIMIZE_H_

#include <cstddef>
#include <optional>
#include <vector>

#include "absl/functional/function_ref.h"

namespace troupe::testing::internal {

// Of the numbers 0 to `count` - 1, in order: some with which `fails` is true,
// while it is false without any one of them. It is taken to be true with all.
// It must answer the same if asked the same. If it gives up, with null, it is
// asked no more, and the result is the smallest found so far.
std::vector<size_t> Minimize(
    size_t count,
    absl::FunctionRef<std::optional<bool>(const std::vector<size_t>&)> fails);

}  // namespace troupe::testing::internal

#endif  // TROUPE_TESTING_INTERNAL_MINIMIZE_H_
