#include "troupe/examples/word_count/options.h"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

ABSL_FLAG(int, top, 10, "how many of the most frequent words to print");
ABSL_FLAG(int, workers, 0,
          "how many threads count; 0: one for each CPU that may be used");
ABSL_FLAG(bool, json, false, "print the result as one JSON object");

namespace troupe::word_count {
namespace {

// More would only be a typing error.
constexpr int kMaxWorkers = 1024;

}  // namespace

absl::StatusOr<Options> OptionsFromFlags(const std::vector<char*>& arguments) {
  const int top = absl::GetFlag(FLAGS_top);
  if (top < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("--top=", top, ": must not be negative"));
  }
  const int workers = absl::GetFlag(FLAGS_workers);
  if (workers < 0 || workers > kMaxWorkers) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--workers=", workers, ": must be from 0 to ", kMaxWorkers));
  }
  Options options = {.top = static_cast<size_t>(top),
                     .workers = workers,
                     .json = absl::GetFlag(FLAGS_json)};
  for (size_t i = 1; i < arguments.size(); ++i) {
    options.paths.emplace_back(arguments[i]);
  }
  if (options.paths.empty()) options.paths.emplace_back("-");
  return options;
}

absl::Status GoWherePathsBegin() {
  const char* const folder = std::getenv("BUILD_WORKING_DIRECTORY");
  if (folder == nullptr || ::chdir(folder) == 0) return absl::OkStatus();
  return absl::ErrnoToStatus(errno, folder);
}

}  // namespace troupe::word_count
