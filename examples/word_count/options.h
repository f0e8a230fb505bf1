// The command line of word_count: --top, --workers, --json, and paths.
//
// Example:
//
//   absl::StatusOr<Options> options =
//       OptionsFromFlags(absl::ParseCommandLine(argc, argv));
#ifndef TROUPE_EXAMPLES_WORD_COUNT_OPTIONS_H_
#define TROUPE_EXAMPLES_WORD_COUNT_OPTIONS_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/flags/declare.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

ABSL_DECLARE_FLAG(int, top);
ABSL_DECLARE_FLAG(int, workers);
ABSL_DECLARE_FLAG(bool, json);

namespace troupe::word_count {

struct Options {
  size_t top = 10;
  int workers = 0;  // 0: one for each CPU that the process may use.
  bool json = false;
  std::vector<std::string> paths = {};  // Never empty; "-" is standard input.
};

// The flags' values, and `arguments` but the first, which is the program's
// name, as paths; "-" if there are none.
//
// kInvalidArgument: a number is negative, or there are too many workers.
absl::StatusOr<Options> OptionsFromFlags(const std::vector<char*>& arguments);

// `bazel run` starts programs elsewhere than where it was called, which is
// where paths begin.
absl::Status GoWherePathsBegin();

}  // namespace troupe::word_count

#endif  // TROUPE_EXAMPLES_WORD_COUNT_OPTIONS_H_
