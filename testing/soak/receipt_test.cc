#include "troupe/testing/soak/receipt.h"

#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "troupe/testing/soak/account.h"

namespace troupe::testing {
namespace {

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
    receipt.Note(absl::NotFoundError("no such actor"));
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
    receipt.Note(absl::AbortedError("it ended"));
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
  token.reset();
  EXPECT_EQ(account.Discrepancy(), "");
}

TEST(ReceiptTest, AnswerToALostRequestIsNoExplanation) {
  Account account("asks");
  {
    Receipt receipt(account);
    { const RequestToken lost(receipt); }
    receipt.Note(absl::OkStatus());
  }
  EXPECT_EQ(account.Discrepancy(),
            "asks: 1 more were lost than became dead letters or were told of");
}

}  // namespace
}  // namespace troupe::testing
