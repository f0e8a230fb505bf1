#include "troupe/testing/soak/receipt.h"

#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"
#include "troupe/actor/delivery.h"
#include "troupe/testing/soak/account.h"

namespace troupe::testing {
namespace {

using ::troupe::internal::WithDelivery;

constexpr absl::string_view kUnaccounted =
    "asks: 1 more were lost than became dead letters or were told of";

// What is wrong where a request is destroyed silently, and its caller is told
// that.
std::string LoseAndTell(const absl::Status& outcome) {
  Account account("asks");
  {
    Receipt receipt(account);
    { const RequestToken lost(receipt); }
    receipt.Note(outcome);
  }
  return account.Discrepancy();
}

TEST(ReceiptTest, HandledRequestIsNoLoss) {
  Account account("asks");
  {
    Receipt receipt(account);
    RequestToken token(receipt);
    RequestToken moved(std::move(token));
    moved.Handle();
    receipt.Note(absl::OkStatus());
  }
  EXPECT_EQ(account.Count(Fate::kHandled), 1);
  EXPECT_EQ(account.Discrepancy(), "");
}

TEST(ReceiptTest, RefusedRequestIsTold) {
  Account account("asks");
  {
    Receipt receipt(account);
    { const RequestToken refused(receipt); }
    receipt.Note(WithDelivery(absl::NotFoundError("no such actor"),
                              DeliveryState::kNotDelivered));
  }
  EXPECT_EQ(account.Count(Fate::kTold), 1);
  EXPECT_EQ(account.Discrepancy(), "");
}

TEST(ReceiptTest, DeadLetterIsNotToldBesides) {
  Account account("asks");
  {
    Receipt receipt(account);
    std::optional<RequestToken> token(std::in_place, receipt);
    account.Add(Fate::kDead);
    RequestToken::NoteDeadLetter();
    token.reset();
    receipt.Note(WithDelivery(absl::AbortedError("it ended"),
                              DeliveryState::kNotDelivered));
  }
  EXPECT_EQ(account.Count(Fate::kTold), 0);
  EXPECT_EQ(account.Discrepancy(), "");
}

TEST(ReceiptTest, RequestMayOutliveItsCaller) {
  Account account("asks");
  std::optional<RequestToken> token;
  {
    Receipt receipt(account);
    token.emplace(receipt);
  }
  EXPECT_EQ(account.Alive(), 1);
  account.Add(Fate::kDead);
  RequestToken::NoteDeadLetter();
  token.reset();
  EXPECT_EQ(account.Discrepancy(), "");
}

TEST(ReceiptTest, CallThatIsNeverMadeIsTold) {
  EXPECT_EQ(LoseAndTell(WithDelivery(absl::DeadlineExceededError("too late"),
                                     DeliveryState::kNotDelivered)),
            "");
}

TEST(ReceiptTest, AnswerToALostRequestIsNoExplanation) {
  EXPECT_EQ(LoseAndTell(absl::OkStatus()), kUnaccounted);
  // A handler's own failure.
  EXPECT_EQ(LoseAndTell(absl::FailedPreconditionError("not today")),
            kUnaccounted);
}

TEST(ReceiptTest, TimeoutOfTheCallerIsNoExplanation) {
  EXPECT_EQ(LoseAndTell(WithDelivery(absl::DeadlineExceededError("no answer"),
                                     DeliveryState::kUnknown)),
            kUnaccounted);
}

TEST(ReceiptTest, CancellationByTheCallerIsNoExplanation) {
  EXPECT_EQ(LoseAndTell(WithDelivery(absl::CancelledError("told to give up"),
                                     DeliveryState::kUnknown)),
            kUnaccounted);
}

TEST(ReceiptTest, EndOfAHandlerIsNoExplanation) {
  EXPECT_EQ(LoseAndTell(WithDelivery(absl::AbortedError("it threw"),
                                     DeliveryState::kUnknown)),
            kUnaccounted);
}

TEST(ReceiptTest, EndOfTheCallerIsNoExplanation) {
  Account account("asks");
  {
    Receipt receipt(account);
    const RequestToken lost(receipt);
  }
  EXPECT_EQ(account.Discrepancy(), kUnaccounted);
}

TEST(ReceiptTest, EndOfTheCallerBeforeTheRequestIsNoExplanation) {
  Account account("asks");
  std::optional<RequestToken> lost;
  {
    Receipt receipt(account);
    lost.emplace(receipt);
  }
  lost.reset();
  EXPECT_EQ(account.Discrepancy(), kUnaccounted);
}

}  // namespace
}  // namespace troupe::testing
