#include "troupe/testing/soak/receipt.h"

namespace troupe::testing {
namespace {

thread_local bool next_is_dead_letter = false;

}  // namespace

void internal::ReceiptState::Release() {
  if (ends.fetch_sub(1, std::memory_order_acq_rel) > 1) return;
  if (lost_silently && told) account.Add(Fate::kTold);
  delete this;
}

RequestToken::~RequestToken() {
  if (state_ == nullptr) return;
  state_->account.Add(Fate::kUnhandled);
  state_->lost_silently = !std::exchange(next_is_dead_letter, false);
  state_->Release();
}

void RequestToken::Handle() {
  state_->account.Add(Fate::kHandled);
  std::exchange(state_, nullptr)->Release();
}

void RequestToken::NoteDeadLetter() { next_is_dead_letter = true; }

}  // namespace troupe::testing
