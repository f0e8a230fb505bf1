#include "troupe/testing/trace.h"

#include <string>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/testing/status_matchers.h"

namespace troupe::testing {
namespace {

using ::testing::HasSubstr;

using Kind = DeterministicExecutor::Choice;

TEST(TraceTest, IsShortText) {
  EXPECT_EQ(Trace().ToString(), "/");
  const Trace trace{
      .faults = {{"kill the teller", 17}, {"late timers", 3, 25}},
      .choices = {{.number = 12, .taken = 1}, {.number = 40, .taken = 2}}};
  EXPECT_EQ(trace.ToString(), "kill+the+teller@17,late+timers@3:25/12:1,40:2");
}

TEST(TraceTest, TextMakesItAgain) {
  const Trace traces[] = {
      {},
      {.faults = {{"a", 0}}},
      {.choices = {{.number = 0, .taken = 3}}},
      {.faults = {{"kill the teller", 17}, {"kill the teller", 19}},
       .choices = {{.number = 1, .taken = 1},
                   {.number = 4'294'967'295, .taken = 4'294'967'295}}},
      {.faults = {{"$(rm) `'\"%+,@:/\n\x01\xff", 1, 9'223'372'036'854'775'807},
                  {std::string("\0", 1), 18'446'744'073'709'551'615u}}},
  };
  for (const Trace& trace : traces) {
    SCOPED_TRACE(trace);
    EXPECT_THAT(Trace::Parse(trace.ToString()), IsOkAndHolds(trace));
    EXPECT_THAT(trace.ToString(),
                ::testing::MatchesRegex("[-A-Za-z0-9_.+%@:,/]*"));
  }
}

TEST(TraceTest, SaysWhatIsWrongInAText) {
  for (const std::string text : {"",
                                 "x",
                                 "kill@1",
                                 "kill/",
                                 "@1/",
                                 "kill@/",
                                 "kill@x/",
                                 "kill@-1/",
                                 "kill@+1/",
                                 "kill@ 1/",
                                 "kill@1:/",
                                 "kill@1:0/",
                                 "kill@1:x/",
                                 "kill@1:-1/",
                                 "kill@1,/",
                                 "a b@1/",
                                 "a%4@1/",
                                 "a%zz@1/",
                                 "a%2a@1/",
                                 "a%41@1/",
                                 "a%-1@1/",
                                 "/1",
                                 "/1:",
                                 "/:1",
                                 "/1:0",
                                 "/1:x",
                                 "/1:1,",
                                 "/1:1,1:1",
                                 "/2:1,1:1",
                                 "/1:1/",
                                 "/4294967296:1",
                                 "/1:4294967296",
                                 "kill@18446744073709551616/",
                                 "kill@1:9223372036854775808/"}) {
    SCOPED_TRACE(text);
    EXPECT_THAT(Trace::Parse(text),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         HasSubstr("in the trace '" + text + "'")));
  }
  EXPECT_THAT(Trace::Parse("a@1,b@x/1:1"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("'b@x' in the trace")));
}

TEST(TraceTest, TellsWhatAChoiceWasAbout) {
  EXPECT_EQ((Trace::Choice{.number = 3, .taken = 2}.ToString()), "choice 3: 2");
  EXPECT_EQ((Trace::Choice{.number = 3,
                           .taken = 2,
                           .alternatives = 4,
                           .kind = Kind::kRunnable,
                           .step = 12}
                 .ToString()),
            "step 12: number 2 of 4 ready actors runs, not number 0");
  EXPECT_EQ(
      (Trace::Choice{
          .taken = 1, .alternatives = 2, .kind = Kind::kLoseSeat, .step = 7}
           .ToString()),
      "step 7: the actor's turn loses its worker");
  EXPECT_EQ((Trace::Choice{
                .taken = 2, .alternatives = 3, .kind = Kind::kPlayer, .step = 9}
                 .ToString()),
            "step 9: number 2 of 3 systems or networks plays, not number 0");
}

}  // namespace
}  // namespace troupe::testing
