// Invariants, outside of Cascade():
//
//  1. A node in slot s of level l has a tick whose digits (base 64) equal those
//     of now_tick_ above place l, and whose digit l is s. Between calls s is
//     greater than the digit l of now_tick_. Within Advance() the level-0 slot
//     of now_tick_ itself may be occupied: it is the one that is firing.
//  2. So all nodes of a level expire before all nodes of the levels above it,
//     and within a level those of lower slots before those of higher ones.
//  3. A node comes to a level only while no node of its tick is in a higher
//  one:
//     by Schedule(), which chooses the highest differing digit, as the node
//     before it did unless that was moved down since; or by Cascade(), which
//     finds the levels below empty, since all in them expired before. So the
//     nodes of one tick are always in one list, in the order scheduled.
//  4. occupied_levels_ and occupied_slots_ name exactly the lists that are not
//     empty, due_ and firing_ aside.
#include "troupe/scheduler/timer_wheel.h"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/functional/function_ref.h"
#include "troupe/base/check.h"

namespace troupe {
namespace {

using internal::TimerLink;

void MakeEmpty(TimerLink& head) { head.previous = head.next = &head; }

bool IsEmpty(const TimerLink& head) { return head.next == &head; }

void Append(TimerLink& head, TimerLink& link) {
  link.previous = head.previous;
  link.next = &head;
  head.previous->next = &link;
  head.previous = &link;
}

// Moves all of `from` to `to`.
// REQUIRES: `to` is empty.
void MoveAll(TimerLink& from, TimerLink& to) {
  if (IsEmpty(from)) return;
  to = from;
  to.next->previous = &to;
  to.previous->next = &to;
  MakeEmpty(from);
}

}  // namespace

TimerNode::~TimerNode() {
  TROUPE_DCHECK(!pending(), "a timer is cancelled before it is destroyed");
}

TimerWheel::TimerWheel(uint64_t now_tick) : now_tick_(now_tick) {
  MakeEmpty(due_);
  MakeEmpty(firing_);
  for (Link& head : heads_) MakeEmpty(head);
}

TimerWheel::~TimerWheel() {
  TROUPE_DCHECK(empty(),
                "timers are cancelled before their wheel is destroyed");
}

void TimerWheel::Schedule(TimerNode& node, uint64_t tick) {
  if (node.pending()) Remove(node);
  node.expiry_tick_ = tick;
  if (tick <= now_tick_) {
    Append(due_, node);
  } else {
    Place(node);
  }
}

bool TimerWheel::Cancel(TimerNode& node) {
  if (!node.pending()) return false;
  Remove(node);
  return true;
}

size_t TimerWheel::Advance(uint64_t tick,
                           absl::FunctionRef<void(TimerNode&)> fire) {
  TROUPE_DCHECK(!advancing_,
                "a timer does not advance the wheel that fires it");
  advancing_ = true;
  MoveAll(due_, firing_);
  size_t fired = FireAll(firing_, fire);
  while (const std::optional<Slot> slot = FirstSlot()) {
    const uint64_t start = StartOf(*slot);
    if (start > tick) break;
    now_tick_ = start;
    if (slot->level == 0) {
      fired += FireAll(heads_[slot->index], fire);
    } else {
      Cascade(*slot);
    }
  }
  // No slot starts at or before `tick`, so this passes none: invariant 1 holds.
  if (tick > now_tick_) now_tick_ = tick;
  advancing_ = false;
  return fired;
}

std::optional<uint64_t> TimerWheel::NextExpiry() const {
  if (!IsEmpty(due_) || !IsEmpty(firing_)) return now_tick_;
  const std::optional<Slot> slot = FirstSlot();
  if (!slot.has_value()) return std::nullopt;
  return StartOf(*slot);
}

void TimerWheel::Place(TimerNode& node) {
  const uint64_t difference = node.expiry_tick_ ^ now_tick_;
  // The highest differing digit; the lowest if there is none.
  const int level = (63 - std::countl_zero(difference | 1)) / kBitsPerLevel;
  const int index = (node.expiry_tick_ >> (level * kBitsPerLevel)) % kSlots;
  Append(heads_[level * kSlots + index], node);
  occupied_slots_[level] |= uint64_t{1} << index;
  occupied_levels_ |= uint32_t{1} << level;
}

void TimerWheel::Remove(TimerNode& node) {
  Link* const previous = node.previous;
  node.previous->next = node.next;
  node.next->previous = node.previous;
  node.previous = node.next = nullptr;
  if (!IsEmpty(*previous)) return;
  // Only a head can be alone in its list. Where it lies tells the slot.
  if (previous == &due_ || previous == &firing_) return;
  const auto position = previous - heads_.data();
  TROUPE_DCHECK(position >= 0 && position < kLevels * kSlots,
                "a timer is cancelled in the wheel in which it is pending");
  const auto level = position / kSlots;
  occupied_slots_[level] &= ~(uint64_t{1} << (position % kSlots));
  if (occupied_slots_[level] == 0) occupied_levels_ &= ~(uint32_t{1} << level);
}

std::optional<TimerWheel::Slot> TimerWheel::FirstSlot() const {
  if (occupied_levels_ == 0) return std::nullopt;
  const int level = std::countr_zero(occupied_levels_);
  return Slot{level, std::countr_zero(occupied_slots_[level])};
}

uint64_t TimerWheel::StartOf(Slot slot) const {
  const int shift = slot.level * kBitsPerLevel;
  // Two steps: at the highest level one would shift by more than 63.
  const uint64_t higher_digits =
      now_tick_ >> shift >> kBitsPerLevel << kBitsPerLevel << shift;
  return higher_digits | static_cast<uint64_t>(slot.index) << shift;
}

size_t TimerWheel::FireAll(Link& list,
                           absl::FunctionRef<void(TimerNode&)> fire) {
  // `fire` may take any node out of `list`, but puts none in: what it schedules
  // up to the present goes to due_.
  size_t fired = 0;
  while (!IsEmpty(list)) {
    TimerNode& node = static_cast<TimerNode&>(*list.next);
    Remove(node);
    fire(node);
    ++fired;
  }
  return fired;
}

void TimerWheel::Cascade(Slot slot) {
  Link& head = heads_[slot.level * kSlots + slot.index];
  while (!IsEmpty(head)) {
    TimerNode& node = static_cast<TimerNode&>(*head.next);
    Remove(node);
    Place(node);
  }
}

}  // namespace troupe
