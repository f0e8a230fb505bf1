// GoogleTest matchers for absl::Status and absl::StatusOr, under the names of
// Abseil's own, which Debian 12 does not package.
//
// Example:
//
//   EXPECT_THAT(system.Stop(), IsOk());
//   EXPECT_THAT(registry.Add("a"), StatusIs(absl::StatusCode::kAlreadyExists,
//                                           HasSubstr("\"a\"")));
//   EXPECT_THAT(ParseCount("12"), IsOkAndHolds(Gt(10)));
#ifndef TROUPE_TESTING_STATUS_MATCHERS_H_
#define TROUPE_TESTING_STATUS_MATCHERS_H_

#include <ostream>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"

namespace troupe::testing {
namespace internal {

inline const absl::Status& GetStatus(const absl::Status& status) {
  return status;
}

template <typename T>
const absl::Status& GetStatus(const absl::StatusOr<T>& status_or) {
  return status_or.status();
}

// Matches Status and any StatusOr whose code and message match.
class StatusIsMatcher {
 public:
  StatusIsMatcher(::testing::Matcher<absl::StatusCode> code,
                  ::testing::Matcher<const std::string&> message)
      : code_(std::move(code)), message_(std::move(message)) {}

  void DescribeTo(std::ostream* os) const {
    *os << "has a status code that ";
    code_.DescribeTo(os);
    *os << " and a message that ";
    message_.DescribeTo(os);
  }

  void DescribeNegationTo(std::ostream* os) const {
    *os << "has a status code that ";
    code_.DescribeNegationTo(os);
    *os << " or a message that ";
    message_.DescribeNegationTo(os);
  }

  template <typename StatusLike>
  bool MatchAndExplain(const StatusLike& actual,
                       ::testing::MatchResultListener* listener) const {
    const absl::Status& status = GetStatus(actual);
    *listener << "whose status is " << status;
    return code_.Matches(status.code()) &&
           message_.Matches(std::string(status.message()));
  }

 private:
  ::testing::Matcher<absl::StatusCode> code_;
  ::testing::Matcher<const std::string&> message_;
};

class IsOkMatcher {
 public:
  void DescribeTo(std::ostream* os) const { *os << "is OK"; }
  void DescribeNegationTo(std::ostream* os) const { *os << "is not OK"; }

  template <typename StatusLike>
  bool MatchAndExplain(const StatusLike& actual,
                       ::testing::MatchResultListener* listener) const {
    const absl::Status& status = GetStatus(actual);
    if (!status.ok()) *listener << "whose status is " << status;
    return status.ok();
  }
};

// Becomes a Matcher of the StatusOr that it meets, since only then the type of
// the value is known.
template <typename ValueMatcher>
class IsOkAndHoldsMatcher {
 public:
  explicit IsOkAndHoldsMatcher(ValueMatcher value) : value_(std::move(value)) {}

  template <typename StatusOr>
  operator ::testing::Matcher<StatusOr>() const {  // NOLINT: as gmock does.
    return ::testing::Matcher<StatusOr>(new Impl<StatusOr>(value_));
  }

 private:
  template <typename StatusOr>
  class Impl : public ::testing::MatcherInterface<StatusOr> {
   public:
    using Value = typename std::remove_cv_t<
        std::remove_reference_t<StatusOr>>::value_type;

    explicit Impl(const ValueMatcher& value)
        : value_(::testing::SafeMatcherCast<const Value&>(value)) {}

    void DescribeTo(std::ostream* os) const override {
      *os << "is OK and holds a value that ";
      value_.DescribeTo(os);
    }

    void DescribeNegationTo(std::ostream* os) const override {
      *os << "is not OK or holds a value that ";
      value_.DescribeNegationTo(os);
    }

    bool MatchAndExplain(
        StatusOr actual,
        ::testing::MatchResultListener* listener) const override {
      if (!actual.ok()) {
        *listener << "whose status is " << actual.status();
        return false;
      }
      *listener << "which holds the value " << ::testing::PrintToString(*actual)
                << " ";
      return value_.MatchAndExplain(*actual, listener);
    }

   private:
    ::testing::Matcher<const Value&> value_;
  };

  ValueMatcher value_;
};

}  // namespace internal

// Matches a Status, or a StatusOr, that is OK.
inline auto IsOk() {
  return ::testing::MakePolymorphicMatcher(internal::IsOkMatcher());
}

// Matches a Status, or a StatusOr, whose code matches `code`.
inline auto StatusIs(::testing::Matcher<absl::StatusCode> code) {
  return ::testing::MakePolymorphicMatcher(
      internal::StatusIsMatcher(std::move(code), ::testing::_));
}

// As above, and whose message matches `message`.
inline auto StatusIs(::testing::Matcher<absl::StatusCode> code,
                     ::testing::Matcher<const std::string&> message) {
  return ::testing::MakePolymorphicMatcher(
      internal::StatusIsMatcher(std::move(code), std::move(message)));
}

// Matches a StatusOr that holds a value that matches `value`, which may be a
// matcher or a value to compare with.
template <typename ValueMatcher>
auto IsOkAndHolds(ValueMatcher&& value) {
  return internal::IsOkAndHoldsMatcher<std::decay_t<ValueMatcher>>(
      std::forward<ValueMatcher>(value));
}

}  // namespace troupe::testing

#endif  // TROUPE_TESTING_STATUS_MATCHERS_H_
