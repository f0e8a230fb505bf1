// Whether the inputs of a fuzz test would find a bug: for tests that plant
// some.
//
//   EXPECT_GT(CountFailingInputs("registry/corpus/name_table",
//                                [](FuzzInput& input) { ... }),
//             0);
#ifndef TROUPE_TOOLS_FUZZ_PLANTED_H_
#define TROUPE_TOOLS_FUZZ_PLANTED_H_

#include <string>

#include "absl/functional/function_ref.h"
#include "troupe/tools/fuzz/input.h"

namespace troupe::testing {

// With how many of the files in `folder`, which is named from the root of the
// workspace, an expectation fails in `play`, on this thread. Those fail no
// test; a folder without files does.
int CountFailingInputs(const std::string& folder,
                       absl::FunctionRef<void(FuzzInput&)> play);

}  // namespace troupe::testing

#endif  // TROUPE_TOOLS_FUZZ_PLANTED_H_
