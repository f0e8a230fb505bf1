#include "troupe/actor/internal/coroutine.h"

#include <coroutine>
#include <cstdint>
#include <utility>

#include "troupe/actor/internal/join.h"
#include "troupe/base/check.h"

namespace troupe::internal {

constinit thread_local CoroutineRun::OfThread CoroutineRun::of_thread_;
constinit QueueLink CoroutineRun::end_;

void CoroutineRun::RunQueued() {
  CoroutineRun& run = *current();
  while (Coroutine* const next = run.Pop()) next->handle().resume();
}

void CoroutineRun::RunWithin(std::coroutine_handle<> handle) {
  CoroutineRun run;
  run.outer_ = std::exchange(of_thread_.current, &run);
  run.Run(handle);
  of_thread_.current = run.outer_;
}

void CoroutineRun::Remove(Coroutine& coroutine) {
  // Each queue from its first on: those that are destroyed in the order in
  // which they were handed over are found at once.
  for (CoroutineRun* run = current(); run != nullptr; run = run->outer_) {
    if (run->first_ == &coroutine) {
      (void)run->Pop();
      return;
    }
    if (run->first_ == nullptr) continue;
    for (QueueLink* link = run->first_; link->next != &end_;
         link = link->next) {
      if (link->next != &coroutine) continue;
      link->next = std::exchange(coroutine.next, nullptr);
      if (run->last_ == &coroutine) run->last_ = link;
      return;
    }
  }
  TROUPE_CHECK(false, "a queued coroutine is destroyed by the thread it is on");
}

bool Coroutine::StartFor(Join& join) {
  waiter_ = reinterpret_cast<uintptr_t>(&join) | kJoin;
  return Start();
}

void Coroutine::EndLater() noexcept {
  if ((waiter_ & kJoin) != 0) {
    reinterpret_cast<Join*>(waiter_ - kJoin)->Ended(*this);
  } else {
    HandOver(reinterpret_cast<Coroutine*>(waiter_)->handle());
  }
}

void OwnedCoroutine::Destroy() noexcept {
  Coroutine* const root = Release();
  if (root->awaited_ != nullptr) DestroyAwaited(*root);
  root->handle().destroy();
}

void OwnedCoroutine::DestroyAwaited(Coroutine& waiter) noexcept {
  Coroutine* last = &waiter;
  while (last->awaited_ != nullptr) last = last->awaited_->get();
  while (last != &waiter) {
    auto* const parent = reinterpret_cast<Coroutine*>(last->waiter_);
    parent->awaited_->Release();
    parent->awaited_ = nullptr;
    last->handle().destroy();
    last = parent;
  }
}

}  // namespace troupe::internal
