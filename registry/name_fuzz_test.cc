// Names of actors and of groups: any bytes are accepted or refused, by rules
// that are said here once more.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"
#include "troupe/registry/group_name.h"
#include "troupe/registry/name.h"
#include "troupe/tools/fuzz/input.h"

namespace troupe {
namespace {

bool HasControl(absl::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return (c >= 0 && c < 0x20) || c == 0x7f; });
}

bool IsGoodName(absl::string_view name) {
  if (name.empty() || name.size() > 255 || HasControl(name)) return false;
  if (name.substr(0, 7) == "troupe.") return false;
  const std::vector<absl::string_view> parts = absl::StrSplit(name, '/');
  return std::none_of(parts.begin(), parts.end(),
                      [](absl::string_view part) { return part.empty(); });
}

// What is wrong is said in a short line that can be printed.
void CheckError(const absl::Status& status) {
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_LT(status.message().size(), 1200u);
  for (const char c : status.message()) EXPECT_TRUE(c >= 0x20 && c < 0x7f);
}

void CheckOne(absl::string_view name) {
  const absl::Status checked = CheckName(name);
  EXPECT_EQ(checked.ok(), IsGoodName(name)) << checked;
  if (!checked.ok()) CheckError(checked);

  const absl::string_view scope = ScopeOf(name);
  if (scope.empty()) {
    EXPECT_LE(name.rfind('/') + 1, 1u);
  } else {
    EXPECT_EQ(scope.data(), name.data());
    EXPECT_EQ(name.find('/', scope.size()), scope.size());
    EXPECT_EQ(name.find('/', scope.size() + 1), absl::string_view::npos);
  }
}

void CheckGroup(absl::string_view scope, absl::string_view name) {
  const absl::Status checked = CheckGroupName({scope, name});
  const bool good = !name.empty() && name.size() <= 255 &&
                    scope.size() <= 255 && !HasControl(name) &&
                    !HasControl(scope);
  EXPECT_EQ(checked.ok(), good) << checked;
  if (!checked.ok()) CheckError(checked);
  const GroupName group{.scope = std::string(scope), .name = std::string(name)};
  EXPECT_EQ(group.ToString().size(),
            name.size() + (scope.empty() ? 0 : scope.size() + 1));
}

}  // namespace
}  // namespace troupe

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  troupe::FuzzInput input(data, size);
  const absl::string_view scope = input.Text();
  const absl::string_view name = input.TakeAll();
  troupe::CheckOne(name);
  troupe::CheckGroup(scope, name);
  return 0;
}
