#include "troupe/testing/internal/probe_inbox.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "troupe/base/check.h"

namespace troupe::testing::internal {

ProbeInbox::ProbeInbox(std::string name, Executor& executor)
    : name_(std::move(name)),
      executor_(executor),
      born_(executor.clock().Now()) {}

void ProbeInbox::Push(const MessageType& type, std::shared_ptr<void> message) {
  const MonotonicTime now = Now();
  absl::MutexLock lock(&mu_);
  items_.push_back({&type, now, std::move(message)});
  if (waiter_ != nullptr) std::exchange(waiter_, nullptr)->Set();
}

const MessageType* ProbeInbox::Await(MonotonicTime deadline) {
  Event arrived;
  {
    absl::MutexLock lock(&mu_);
    if (!items_.empty()) return items_.front().type;
    TROUPE_CHECK(waiter_ == nullptr, "one thread at a time waits for a probe");
    waiter_ = &arrived;
  }
  (void)executor_.WaitFor(arrived, deadline);  // What is there now, counts.
  absl::MutexLock lock(&mu_);
  waiter_ = nullptr;
  return items_.empty() ? nullptr : items_.front().type;
}

bool ProbeInbox::FirstCameAfter(MonotonicTime time) const {
  absl::MutexLock lock(&mu_);
  TROUPE_CHECK(!items_.empty(), "what a wait has found is there");
  return items_.front().at > time;
}

std::shared_ptr<void> ProbeInbox::Take() {
  absl::MutexLock lock(&mu_);
  TROUPE_CHECK(!items_.empty(), "what a wait has found is there");
  Item& item = items_.front();
  std::shared_ptr<void> message = std::move(item.message);
  taken_.push_back({item.type, item.at, nullptr});
  if (taken_.size() > kNamed) taken_.pop_front();
  items_.pop_front();
  return message;
}

std::string ProbeInbox::Describe(const Item& item) const {
  return absl::StrCat(std::string(item.type->name), " at ",
                      absl::FormatDuration(item.at - born_));
}

absl::Status ProbeInbox::WhyNot(std::string_view expected,
                                absl::Duration within, bool has_ended) const {
  const MonotonicTime now = Now();
  absl::MutexLock lock(&mu_);
  std::string why =
      absl::StrCat("probe '", name_, "': expected ", std::string(expected));
  if (within < absl::InfiniteDuration()) {
    absl::StrAppend(&why, " within ", absl::FormatDuration(within));
  }
  if (items_.empty()) {
    absl::StrAppend(&why, ", nothing came until ",
                    absl::FormatDuration(now - born_));
  } else {
    absl::StrAppend(&why, ", got ", Describe(items_.front()));
    for (size_t i = 1; i < std::min(items_.size(), kNamed); ++i) {
      absl::StrAppend(&why, i == 1 ? "; behind it: " : ", ",
                      Describe(items_[i]));
    }
    if (items_.size() > kNamed) {
      absl::StrAppend(&why, ", and ", items_.size() - kNamed, " more");
    }
  }
  for (size_t i = 0; i < taken_.size(); ++i) {
    absl::StrAppend(&why, i == 0 ? "; before: " : ", ", Describe(taken_[i]));
  }
  if (has_ended) absl::StrAppend(&why, "; the probe's actor has ended");
  return items_.empty() ? absl::DeadlineExceededError(why)
                        : absl::FailedPreconditionError(why);
}

}  // namespace troupe::testing::internal
