#include "troupe/actor/send_result.h"

#include <sstream>
#include <string>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using ::troupe::testing::IsOk;
using ::troupe::testing::StatusIs;

std::string Printed(SendResult result) {
  std::ostringstream text;
  text << result;
  return text.str();
}

// each refusal has a code of its own, and says what it is.
TEST(SendResultTest, StatusKeepsTheText) {
  EXPECT_THAT(ToStatus(SendResult::kSent), IsOk());
  EXPECT_THAT(ToStatus(SendResult::kNoActor),
              StatusIs(absl::StatusCode::kNotFound, "no such actor"));
  EXPECT_THAT(
      ToStatus(SendResult::kStopped),
      StatusIs(absl::StatusCode::kAborted, "the actor takes no more messages"));
  EXPECT_THAT(ToStatus(SendResult::kMailboxFull),
              StatusIs(absl::StatusCode::kResourceExhausted,
                       "the actor's mailbox is full"));
  EXPECT_EQ(Printed(SendResult::kSent), "sent");
  EXPECT_EQ(Printed(SendResult::kNoActor), "no such actor");
}

}  // namespace
}  // namespace troupe
