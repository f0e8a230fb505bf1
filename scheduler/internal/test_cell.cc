#include "troupe/scheduler/internal/test_cell.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "troupe/base/check.h"

namespace troupe::internal {

const RunnableType TestCell::kType = {
    .run = Run,
    .woken = Woken,
    .returned = Returned,
    .release = Release,
    .name = Name,
    .claimed = Claimed,
};

TestCell::TestCell(absl::string_view name, Handler handler)
    : name_(name), handler_(std::move(handler)) {
  type = &kType;
  // The token is with whoever starts the cell.
  word_.Open(/*token_inside=*/false);
}

TestCell::~TestCell() {
  Drain();
  while (head_ != nullptr) delete std::exchange(head_, head_->next);
}

void TestCell::Send(const TestMessage& message) {
  auto* const node = new Node{nullptr, message};
  const uint64_t tag = EnterSeat();
  if (tag == OwnerTag::kNoSeat) {
    Push(node, node, /*claimer=*/nullptr);
  } else {
    SendFromTurn(*this_thread.worker, tag, node);
  }
  LeaveSeat();
}

void TestCell::SetTimer(MonotonicTime time) {
  if (EnterSeat() == OwnerTag::kNoSeat) {
    left_word_ = time;
  } else {
    SetTimerOn(*this_thread.worker, time);
  }
  LeaveSeat();
}

void TestCell::SetTimerOn(Worker& worker, MonotonicTime time) {
  timer_.time = time;
  if (time.IsInfinite()) {
    worker.CancelTimer(timer_);
  } else {
    worker.SetTimer(timer_, time);
  }
}

void TestCell::TimerDue(Worker& worker) {
  timer_.time = MonotonicTime::InfiniteFuture();
  Append(new Node{nullptr, {.from = kTimer, .sequence = timer_.expiry_tick()}});
  if (!IsScheduled()) worker.Schedule(*this);
}

void TestCell::SendFromTurn(Worker& worker, uint64_t tag, Node* node) {
  const uint64_t seen = owner.load(std::memory_order_relaxed);
  if (!OwnerTag::SameOwner(seen, tag)) {
    if (worker.local() != nullptr) {
      static_cast<TestOutbox*>(worker.local())->Add(*this, node);
    } else {
      Push(node, node, &worker);
    }
    return;
  }
  if (seen != tag) {
    Drain();
    owner.store(tag, std::memory_order_relaxed);
  }
  Append(node);
  if (!IsScheduled()) worker.Schedule(*this);
}

void TestCell::Push(Node* newest, Node* oldest, Worker* claimer) {
  switch (word_.Push(word_.Load(), newest, oldest)) {
    case PushResult::kEnqueued:
      return;
    case PushResult::kMustWake:
      if (claimer != nullptr && claimable_ && claimer->Claim(*this)) return;
      WakeOwner(*this);
      return;
    case PushResult::kClosed:
      TROUPE_CHECK(false, "a test cell is never closed");
  }
}

void TestCell::Append(Node* node) {
  node->next = nullptr;
  if (head_ == nullptr) {
    head_ = node;
  } else {
    tail_->next = node;
  }
  tail_ = node;
}

void TestCell::Drain() {
  Node* newest = word_.Take();
  Node* oldest = nullptr;
  while (newest != nullptr) {
    Node* const next = newest->next;
    newest->next = oldest;
    oldest = newest;
    newest = next;
  }
  while (oldest != nullptr) {
    Node* const next = oldest->next;
    Append(oldest);
    oldest = next;
  }
}

bool TestCell::WantsTurn() {
  while (head_ == nullptr) {
    if (!has_token_) return false;
    if (word_.Arm()) {
      has_token_ = false;
      return false;
    }
    Drain();
  }
  return true;
}

bool TestCell::Run(Runnable& runnable, Worker& worker) {
  TestCell& cell = static_cast<TestCell&>(runnable);
  if (cell.word_.HasMail()) cell.Drain();
  // The turn ends at what was queued when it began.
  const Node* const last = cell.tail_;
  bool more = cell.head_ != nullptr;
  while (more) {
    std::unique_ptr<Node> node(std::exchange(cell.head_, cell.head_->next));
    more = node.get() != last;
    LeaveForUserCode();
    cell.handler_(cell, node->message);
    node.reset();
    if (!ReturnFromUserCode()) return false;
  }
  worker.FlushLocal();
  if (cell.WantsTurn()) {
    worker.Yield(cell);
  } else {
    cell.queue_next = nullptr;
  }
  return true;
}

bool TestCell::Woken(Runnable& runnable, Worker& worker) {
  TestCell& cell = static_cast<TestCell&>(runnable);
  TROUPE_CHECK(!std::exchange(cell.has_token_, true), "two tokens of one cell");
  // It may have come from another worker.
  if (!cell.timer_.pending()) cell.SetTimerOn(worker, cell.timer_.time);
  return cell.WantsTurn();
}

bool TestCell::Returned(Runnable& runnable, Worker& worker) {
  TestCell& cell = static_cast<TestCell&>(runnable);
  if (const auto time = std::exchange(cell.left_word_, std::nullopt)) {
    cell.SetTimerOn(worker, *time);
  }
  return cell.WantsTurn();
}

bool TestCell::Release(Runnable& runnable, Worker& worker) {
  TestCell& cell = static_cast<TestCell&>(runnable);
  if (!std::exchange(cell.has_token_, false) && !cell.word_.Disarm()) {
    return false;
  }
  worker.CancelTimer(cell.timer_);
  return true;
}

void TestCell::Claimed(Runnable& runnable, Worker& from) {
  from.CancelTimer(static_cast<TestCell&>(runnable).timer_);
}

std::string TestCell::Name(const Runnable& runnable) {
  return static_cast<const TestCell&>(runnable).name_;
}

void TestOutbox::Add(TestCell& receiver, TestCell::Node* node) {
  for (Chain& chain : absl::MakeSpan(chains_).first(used_)) {
    if (chain.receiver != &receiver) continue;
    node->next = chain.newest;
    chain.newest = node;
    return;
  }
  if (used_ == kReceivers) Flush();
  chains_[used_++] = {&receiver, node, node};
}

void TestOutbox::Flush() {
  for (const Chain& chain : absl::MakeSpan(chains_).first(used_)) {
    chain.receiver->Push(chain.newest, chain.oldest, &worker_);
  }
  used_ = 0;
}

}  // namespace troupe::internal
