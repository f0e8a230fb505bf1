#include "troupe/supervision/internal/child_table.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "absl/time/time.h"
#include "troupe/base/check.h"
#include "troupe/supervision/child_options.h"

namespace troupe::internal {
namespace {

constexpr int64_t kBrutal = -1;
constexpr int64_t kUnlimited = std::numeric_limits<int64_t>::max();

int64_t ToNanoseconds(const Shutdown& shutdown) {
  TROUPE_DCHECK(!shutdown.IsDefault(), "the child's kind has been asked");
  if (shutdown.IsBrutal()) return kBrutal;
  // Saturates: from kUnlimited on.
  return absl::ToInt64Nanoseconds(shutdown.limit());
}

// A place in `vector` that is free, or a new one.
template <typename T>
uint32_t Allocate(std::vector<T>& vector, std::vector<uint32_t>& free) {
  if (free.empty()) {
    TROUPE_CHECK(vector.size() < Child::kNothing, "32 bits name all of them");
    vector.emplace_back();
    return static_cast<uint32_t>(vector.size() - 1);
  }
  const uint32_t place = free.back();
  free.pop_back();
  return place;
}

}  // namespace

absl::Duration Child::ShutdownLimit() const {
  return shutdown_ns == kUnlimited ? absl::InfiniteDuration()
                                   : absl::Nanoseconds(shutdown_ns);
}

ChildKey ChildTable::Add(const ChildRules& rules) {
  const ChildKey key = Allocate(children_, free_children_);
  Child& child = children_[key] = Child();
  child.rank = next_rank_++;
  child.shutdown_ns = ToNanoseconds(rules.shutdown);
  child.restart = rules.restart;
  child.significant = rules.significant;
  if (rules.backoff.has_value()) child.backoff = ShareBackoff(*rules.backoff);
  child.listed = true;
  child.previous = last_;
  (last_ == kNoChild ? first_ : children_[last_].next) = key;
  last_ = key;
  ++size_;
  return key;
}

void ChildTable::Unlist(ChildKey key) {
  Child& child = children_[key];
  TROUPE_DCHECK(child.listed, "a child is forgotten once");
  child.listed = false;
  (child.previous == kNoChild ? first_ : children_[child.previous].next) =
      child.next;
  (child.next == kNoChild ? last_ : children_[child.next].previous) =
      child.previous;
  --size_;
}

void ChildTable::Release(ChildKey key) {
  Child& child = children_[key];
  TROUPE_DCHECK(!child.listed, "who is released is not listed");
  TROUPE_DCHECK(!HasWaiter(key), "who is released has answered all");
  if (child.backoff != Child::kNothing) {
    if (--backoffs_[child.backoff].users == 0) {
      if (latest_backoff_ == child.backoff) latest_backoff_ = Child::kNothing;
      free_backoffs_.push_back(child.backoff);
    }
  }
  free_children_.push_back(key);
}

const RestartBackoff* ChildTable::backoff(ChildKey key) const {
  const uint32_t place = children_[key].backoff;
  return place == Child::kNothing ? nullptr : &backoffs_[place].backoff;
}

uint32_t ChildTable::ShareBackoff(const RestartBackoff& backoff) {
  if (latest_backoff_ == Child::kNothing ||
      backoffs_[latest_backoff_].backoff != backoff) {
    latest_backoff_ = Allocate(backoffs_, free_backoffs_);
    backoffs_[latest_backoff_].backoff = backoff;
  }
  ++backoffs_[latest_backoff_].users;
  return latest_backoff_;
}

void ChildTable::AddWaiter(ChildKey key, const Waiter& waiter) {
  const uint32_t place = Allocate(waiters_, free_waiters_);
  uint32_t& last = children_[key].last_waiter;
  waiters_[place].waiter = waiter;
  if (last == Child::kNothing) {
    waiters_[place].next = place;
  } else {
    waiters_[place].next = waiters_[last].next;
    waiters_[last].next = place;
  }
  last = place;
}

Waiter ChildTable::TakeWaiter(ChildKey key) {
  uint32_t& last = children_[key].last_waiter;
  TROUPE_DCHECK(last != Child::kNothing, "somebody waits");
  const uint32_t first = waiters_[last].next;
  if (first == last) {
    last = Child::kNothing;
  } else {
    waiters_[last].next = waiters_[first].next;
  }
  free_waiters_.push_back(first);
  return waiters_[first].waiter;
}

size_t ChildTable::CountWaiters(ChildKey key) const {
  const uint32_t last = children_[key].last_waiter;
  if (last == Child::kNothing) return 0;
  size_t count = 1;
  for (uint32_t i = last; (i = waiters_[i].next) != last;) ++count;
  return count;
}

}  // namespace troupe::internal
