// What names of actors look like.
#include "troupe/registry/name.h"

#include <string>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using ::testing::HasSubstr;
using ::troupe::testing::IsOk;
using ::troupe::testing::StatusIs;

auto Refused(const std::string& why) {
  return StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(why));
}

TEST(NameTest, OrdinaryNamesAreTaken) {
  for (const char* const name :
       {"a", "two words", "billing/eu/ledger", "troupe", "a.b", "\xc3\xa4"}) {
    EXPECT_THAT(CheckName(name), IsOk()) << name;
  }
  EXPECT_THAT(CheckName(std::string(255, 'x')), IsOk());
}

TEST(NameTest, RefusalsSayWhy) {
  EXPECT_THAT(CheckName(""), Refused("the name '': it is empty"));
  EXPECT_THAT(CheckName(std::string(256, 'x')), Refused("more than 255 bytes"));
  EXPECT_THAT(CheckName("a\nb"),
              Refused("'a\\nb': it contains a control character"));
  EXPECT_THAT(CheckName("\x7f"), Refused("control character"));
  EXPECT_THAT(CheckName(std::string(1, '\0')), Refused("control character"));
  for (const char* const name : {"/", "/a", "a/", "a//b"}) {
    EXPECT_THAT(CheckName(name), Refused("a part of it is empty")) << name;
  }
  EXPECT_THAT(CheckName("troupe.events"), Refused("reserved"));
}

TEST(NameTest, LongOneIsAbridgedInTheRefusal) {
  const absl::Status status = CheckName(std::string(5000, 'x'));
  EXPECT_LT(status.message().size(), 200u);
}

TEST(NameTest, ScopeIsBeforeTheLastSlash) {
  EXPECT_EQ(ScopeOf("clock"), "");
  EXPECT_EQ(ScopeOf("billing/ledger"), "billing");
  EXPECT_EQ(ScopeOf("billing/eu/ledger"), "billing/eu");
}

}  // namespace
}  // namespace troupe
