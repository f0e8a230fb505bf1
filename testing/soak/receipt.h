// The account of requests, which are lost in one way more than messages: a call
// that is refused, or given up before it is sent, is told to its caller and is
// no dead letter. Caller and request hold one end of a receipt each; the last
// to let go says what became of the request.
//
//   struct Ask {
//     explicit Ask(Receipt& receipt) : token(receipt) {}
//     RequestToken token;
//   };
//   Receipt receipt(account);
//   const auto outcome = co_await ref.Call<Ask>(receipt);
//   receipt.Note(outcome.status());
//
// Only a failure that says that the request was not delivered (delivery.h)
// explains a request that is destroyed and is no dead letter. A timeout or a
// cancellation does not: what is given up then is still on its way, and is
// handled or becomes a dead letter. Nor does the end of a caller that waits.
//
// Thread safety: each end belongs to one thread at a time.
#ifndef TROUPE_TESTING_SOAK_RECEIPT_H_
#define TROUPE_TESTING_SOAK_RECEIPT_H_

#include <atomic>
#include <utility>

#include "absl/status/status.h"
#include "troupe/actor/delivery.h"
#include "troupe/testing/soak/account.h"

namespace troupe::testing {

namespace internal {

struct ReceiptState {
  explicit ReceiptState(Account& of) : account(of) {}

  void Release();

  Account& account;
  // ACQUIRE_RELEASE by who lets go: the last one reads what the other wrote.
  std::atomic<int> ends{2};
  bool lost_silently = false;  // By the request: not even as a dead letter.
  bool told = false;           // By the caller: that it was not delivered.
};

}  // namespace internal

// The caller's end. For one request, which must be made.
class Receipt {
 public:
  explicit Receipt(Account& account)
      : state_(new internal::ReceiptState(account)) {}
  Receipt(const Receipt&) = delete;
  Receipt& operator=(const Receipt&) = delete;
  ~Receipt() { state_->Release(); }

  // What the call yielded. Not called where the caller ends while it waits.
  void Note(const absl::Status& outcome) {
    state_->told = Delivery(outcome) == DeliveryState::kNotDelivered;
  }

 private:
  friend class RequestToken;
  internal::ReceiptState* const state_;
};

// The request's end.
class RequestToken {
 public:
  explicit RequestToken(Receipt& receipt) : state_(receipt.state_) {
    state_->account.Add(Fate::kMade);
  }
  RequestToken(RequestToken&& other) noexcept
      : state_(std::exchange(other.state_, nullptr)) {}
  RequestToken& operator=(RequestToken&&) = delete;
  ~RequestToken();

  // Once.
  void Handle();

  // The request that this thread destroys next is a dead letter.
  static void NoteDeadLetter();

 private:
  internal::ReceiptState* state_;
};

}  // namespace troupe::testing

#endif  // TROUPE_TESTING_SOAK_RECEIPT_H_
