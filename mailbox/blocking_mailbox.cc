#include "troupe/mailbox/blocking_mailbox.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "troupe/base/check.h"

namespace troupe {
namespace {

absl::string_view NameOf(const Envelope& envelope) {
  return {envelope.type->name.data(), envelope.type->name.size()};
}

std::string Count(uint64_t limit, absl::string_view unit) {
  if (limit == Capacity::kUnlimited) return absl::StrCat("unlimited ", unit);
  return absl::StrCat(limit, " ", unit);
}

absl::Status TooLargeError(const Envelope& envelope, uint64_t limit) {
  return absl::InvalidArgumentError(
      absl::StrCat("message too large: ", NameOf(envelope), " takes ",
                   envelope.size_bytes(), " bytes, the mailbox holds ", limit,
                   "; raise Capacity::bytes, or send it in parts"));
}

absl::Status ShutError(const Envelope& envelope) {
  return absl::FailedPreconditionError(
      absl::StrCat("mailbox shut: ", NameOf(envelope),
                   " was not sent; stop sending, nothing is taken any more"));
}

void Prepare(const EnvelopePtr& envelope, Lane lane) {
  TROUPE_CHECK(envelope != nullptr, "who sends has an envelope");
  envelope->lane = lane;
  envelope->target = 0;  // What the queue was opened for.
}

}  // namespace

BlockingMailbox::BlockingMailbox(BlockingMailboxOptions options)
    : options_(std::move(options)) {
  queue_.Open(options_.capacity, /*target=*/0);
}

BlockingMailbox::~BlockingMailbox() { Close(); }

absl::Status BlockingMailbox::Send(EnvelopePtr&& envelope) {
  Prepare(envelope, Lane::kNormal);
  EnvelopeList dropped;
  const Admission admission = queue_.Push(envelope.get(), dropped);
  return Finish(admission, /*waited=*/false, envelope, std::move(dropped));
}

absl::Status BlockingMailbox::SendWithDeadline(MonotonicTime deadline,
                                               EnvelopePtr&& envelope) {
  Prepare(envelope, Lane::kNormal);
  EnvelopeList dropped;
  const Admission admission = queue_.PushWithDeadline(
      envelope.get(), *options_.clock, deadline, dropped);
  const bool waited = options_.capacity.policy == OverflowPolicy::kAwait;
  return Finish(admission, waited, envelope, std::move(dropped));
}

absl::Status BlockingMailbox::Finish(Admission admission, bool waited,
                                     EnvelopePtr& envelope,
                                     EnvelopeList dropped) {
  switch (admission) {
    case Admission::kMustWake:
      Wake();
      [[fallthrough]];
    case Admission::kEnqueued:
    case Admission::kDropped:
      envelope.release();  // The queue's, or in `dropped`.
      break;
    case Admission::kFull:
      return FullError(waited, *envelope);
    case Admission::kTooLarge:
      return TooLargeError(*envelope, options_.capacity.bytes);
    case Admission::kClosed:
      return ShutError(*envelope);
    case Admission::kWaiting:
      TROUPE_CHECK(false, "a push that waits by itself has an end");
  }
  if (options_.on_dropped != nullptr) {
    while (EnvelopePtr old = dropped.Pop()) options_.on_dropped(std::move(old));
  }
  return absl::OkStatus();
}

void BlockingMailbox::Wake() {
  absl::MutexLock lock(&mu_);
  arrived_.Signal();
}

absl::Status BlockingMailbox::FullError(bool waited,
                                        const Envelope& envelope) const {
  const Capacity& capacity = options_.capacity;
  const std::string problem =
      absl::StrCat("mailbox full: no space for ", NameOf(envelope), " (",
                   envelope.size_bytes(), " bytes) within ",
                   Count(capacity.messages, "messages"), " and ",
                   Count(capacity.bytes, "bytes"));
  if (waited) {
    return absl::DeadlineExceededError(absl::StrCat(
        problem, " until the deadline; allow more time, or raise the limit"));
  }
  return absl::ResourceExhaustedError(absl::StrCat(
      problem, capacity.policy == OverflowPolicy::kAwait
                   ? "; wait for it with SendWithDeadline(), or raise the limit"
                   : "; send it later, or raise the limit"));
}

absl::Status BlockingMailbox::SendUrgent(EnvelopePtr&& envelope) {
  Prepare(envelope, Lane::kUrgent);
  absl::MutexLock lock(&mu_);
  if (shut_) return ShutError(*envelope);
  urgent_.Append(std::move(envelope));
  arrived_.Signal();
  return absl::OkStatus();
}

void BlockingMailbox::Shut() {
  absl::MutexLock lock(&mu_);
  ShutLocked();
}

void BlockingMailbox::ShutLocked() {
  queue_.Shut();
  shut_ = true;
  arrived_.Signal();
}

EnvelopeList BlockingMailbox::Close() {
  absl::MutexLock lock(&mu_);
  ShutLocked();
  EnvelopeList rest = std::exchange(urgent_, EnvelopeList());
  EnvelopeList normal = queue_.Close();
  while (EnvelopePtr envelope = normal.Pop()) rest.Append(std::move(envelope));
  return rest;
}

absl::StatusOr<EnvelopePtr> BlockingMailbox::Receive(MonotonicTime deadline) {
  absl::MutexLock lock(&mu_);
  std::optional<MonotonicTime> began;
  while (true) {
    if (EnvelopePtr envelope = Pop()) return envelope;
    // Under the same hold as the look: nothing was taken in between.
    if (shut_) {
      return absl::FailedPreconditionError(
          "mailbox shut: all that it took was received or handed back; stop "
          "receiving, nothing will come");
    }
    // Looked at anew after each wait: it may have ended for no reason, and the
    // clock need not be the real one.
    const MonotonicTime now = options_.clock->Now();
    if (!began.has_value()) began = now;
    if (now >= deadline) {
      return absl::DeadlineExceededError(
          absl::StrCat("mailbox empty: no message came in the ",
                       absl::FormatDuration(now - *began),
                       " until the deadline; receive again to wait longer"));
    }
    TROUPE_CHECK(!receiver_waits_, "a mailbox has one receiver at a time");
    receiver_waits_ = true;
    arrived_.WaitWithTimeout(&mu_, deadline - now);
    receiver_waits_ = false;
  }
}

EnvelopePtr BlockingMailbox::TryReceive() {
  absl::MutexLock lock(&mu_);
  return Pop();
}

EnvelopePtr BlockingMailbox::Pop() {
  if (EnvelopePtr envelope = urgent_.Pop()) return envelope;
  return EnvelopePtr(queue_.Pop());
}

}  // namespace troupe
