#include "troupe/cluster/codec/shape.h"

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::StatusIs;

TEST(ShapeTest, EqualShapesAgree) {
  for (const absl::string_view shape :
       {"i", "u", "f8", "[u1]", "()", "(isb)", "?(i[s]{s(ib)})", "<is()>",
        "(i[^])", "(\"3\"i)", "@", "\"Percent\"", "~"}) {
    EXPECT_THAT(CompareShapes(shape, shape), IsOk()) << shape;
  }
}

TEST(ShapeTest, FieldsMayBeAddedAtTheEnd) {
  for (const auto& [shorter, longer] :
       {std::pair("()", "(i)"), std::pair("(is)", "(is?b)"),
        std::pair("([(i)]s)", "([(i{ss}<ib>)]s)"),
        std::pair("((i))", "((i\"Percent\")@)")}) {
    EXPECT_THAT(CompareShapes(shorter, longer), IsOk()) << longer;
    EXPECT_THAT(CompareShapes(longer, shorter), IsOk()) << longer;
  }
}

TEST(ShapeTest, OtherDifferencesAreTold) {
  for (const auto& [ours, theirs] :
       {std::pair("i", "u"), std::pair("i", "s"), std::pair("(is)", "(si)"),
        std::pair("f4", "f8"), std::pair("[i]", "[i4]"),
        std::pair("[u1]", "[u16]"), std::pair("?i", "i"),
        std::pair("<is>", "<isb>"), std::pair("{ss}", "{si}"),
        std::pair("(\"3\"i)", "(\"4\"i)"), std::pair("\"A\"", "\"AB\""),
        std::pair("(i)", "i"), std::pair("i", "ii"), std::pair("i", "")}) {
    EXPECT_THAT(CompareShapes(ours, theirs),
                StatusIs(absl::StatusCode::kFailedPrecondition))
        << ours << " " << theirs;
    EXPECT_THAT(CompareShapes(theirs, ours),
                StatusIs(absl::StatusCode::kFailedPrecondition))
        << theirs << " " << ours;
  }
}

TEST(ShapeTest, DifferenceIsMarked) {
  EXPECT_THAT(CompareShapes("(i[s])", "(i[b])"),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr("here \"(i[>>s])\""),
                             HasSubstr("there \"(i[>>b])\""))));
}

TEST(ShapeTest, TypesThatAreNotComparedAgreeWithAll) {
  for (const absl::string_view other :
       {"i", "(i[s])", "?\"Percent\"", "<ib>"}) {
    EXPECT_THAT(CompareShapes(std::string("(") + "~" + "s)",
                              "(" + std::string(other) + "s)"),
                IsOk());
  }
  EXPECT_THAT(CompareShapes("(~s)", "(ib)"),
              StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST(ShapeTest, TextsThatAreNoShapesDoNotAgree) {
  const std::string deep(100'000, '(');
  for (const absl::string_view text :
       {absl::string_view("x"), absl::string_view("("), absl::string_view(")"),
        absl::string_view("\"open"), absl::string_view("[i"),
        absl::string_view("<"), absl::string_view("?"),
        absl::string_view(deep)}) {
    EXPECT_FALSE(CompareShapes(text, text).ok());
    EXPECT_FALSE(CompareShapes("~", text).ok());
    EXPECT_FALSE(CompareShapes("()", text).ok());
  }
}

}  // namespace
}  // namespace troupe
