// A hierarchical timing wheel: timers in intrusive nodes, without allocation,
// clock or thread.
//
// Example:
//
//   struct Reminder : TimerNode { ... };
//   TimerWheel wheel(now_tick);
//   wheel.Schedule(reminder, now_tick + 30);
//   ...
//   wheel.Advance(now_tick, [](TimerNode& node) {
//     static_cast<Reminder&>(node).Ring();
//   });
//   // Sleep until wheel.NextExpiry().
#ifndef TROUPE_SCHEDULER_TIMER_WHEEL_H_
#define TROUPE_SCHEDULER_TIMER_WHEEL_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/functional/function_ref.h"

namespace troupe {

class TimerWheel;

namespace internal {

// A place in a circular list; a list's head is one too.
struct TimerLink {
  TimerLink* previous = nullptr;
  TimerLink* next = nullptr;
};

}  // namespace internal

// A timer, pending in at most one wheel. To be derived from, or to be a member
// of what the timer is about.
class TimerNode : private internal::TimerLink {
 public:
  TimerNode() = default;
  TimerNode(const TimerNode&) = delete;
  TimerNode& operator=(const TimerNode&) = delete;
  // REQUIRES: !pending()
  ~TimerNode();

  // True from Schedule() until the node is cancelled or about to fire.
  bool pending() const { return next != nullptr; }

  // The tick given to the last Schedule(); kept while the node fires.
  uint64_t expiry_tick() const { return expiry_tick_; }

 private:
  friend class TimerWheel;

  uint64_t expiry_tick_ = 0;
};

// Timers ordered by a count of ticks; what a tick is the caller decides.
//
// After G. Varghese and T. Lauck, "Hashed and Hierarchical Timing Wheels" (SOSP
// 1987), scheme 7, with slots found by the highest digit in which expiry and
// present differ, so that no timer is too far away. Schedule() and Cancel()
// take constant time. Advance() skips empty slots; each timer is moved at most
// 10 times before it fires.
//
// Order: nodes fire by expiry tick, those of one tick in the order in which
// they were scheduled. A tick that has come counts as the present: such nodes
// fire first of all in the next Advance(), in the order scheduled.
// Ownership: the wheel owns no node. A node must not move or die while pending.
// Blocking: no call blocks or allocates.
// Thread safety: none; a wheel and its nodes belong to one thread at a time.
// Size: 11 KiB.
class TimerWheel {
 public:
  explicit TimerWheel(uint64_t now_tick = 0);
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;
  // REQUIRES: empty()
  ~TimerWheel();

  // Makes `node` fire in the first Advance() to `tick` or later. If it is
  // pending already, moves it, as Cancel() and Schedule() would.
  // REQUIRES: `node` is not pending in another wheel.
  void Schedule(TimerNode& node, uint64_t tick);

  // Makes `node` not fire; returns whether it was pending. A node that is
  // firing is no longer pending.
  // REQUIRES: `node` is not pending in another wheel.
  bool Cancel(TimerNode& node);

  // Moves the present to `tick` and calls `fire` for each node that expires up
  // to then. Returns how many did. A `tick` that has passed counts as
  // now_tick().
  //
  // During `fire`, now_tick() is the tick at which the node expired and the
  // node is not pending: `fire` may destroy it or schedule it anew, and
  // schedule, cancel or destroy any other. What `fire` schedules up to `tick`
  // fires in this same call, unless its tick has come already: that waits for
  // the next Advance(), so that every call ends. REQUIRES: `fire` does not
  // throw, and does not call Advance().
  size_t Advance(uint64_t tick, absl::FunctionRef<void(TimerNode&)> fire);

  // A tick at which to call Advance() next; nothing if no node is pending.
  // Never later than the next expiry, and equal to it if that lies in the
  // present's block of 64 ticks. Otherwise it may be early: sleeping from one
  // answer to the next reaches a timer after at most 10 wakes in vain.
  std::optional<uint64_t> NextExpiry() const;

  // The tick of the last Advance().
  uint64_t now_tick() const { return now_tick_; }

  bool empty() const { return !NextExpiry().has_value(); }

 private:
  static constexpr int kBitsPerLevel = 6;
  static constexpr int kSlots = 1 << kBitsPerLevel;
  static constexpr int kLevels = (64 + kBitsPerLevel - 1) / kBitsPerLevel;

  using Link = internal::TimerLink;
  struct Slot {
    int level;
    int index;
  };

  // Appends `node` to the slot for its expiry.
  // REQUIRES: its tick is not below now_tick_.
  void Place(TimerNode& node);

  // Takes `node` out of its list and marks a slot that it leaves empty.
  void Remove(TimerNode& node);

  // The first slot in time, if one is occupied.
  std::optional<Slot> FirstSlot() const;

  // The first tick that `slot` stands for, given the present.
  uint64_t StartOf(Slot slot) const;

  // Calls `fire` for the nodes of `list`, in order, until it is empty.
  size_t FireAll(Link& list, absl::FunctionRef<void(TimerNode&)> fire);

  // Distributes the nodes of `slot` to the levels below it.
  // REQUIRES: the present is the start of `slot`.
  void Cascade(Slot slot);

  uint64_t now_tick_;
  bool advancing_ = false;
  // Bit l: level l has an occupied slot.
  uint32_t occupied_levels_ = 0;
  // Bit s of word l: slot s of level l is occupied.
  std::array<uint64_t, kLevels> occupied_slots_ = {};
  Link due_;     // Their tick had come when they were scheduled.
  Link firing_;  // What was in due_ when Advance() began.
  // The heads of the lists. Slot s of level l holds the nodes whose tick has
  // the digit s at place l, in base 64, and equals the present in all higher
  // places.
  std::array<Link, kLevels * kSlots> heads_;
};

}  // namespace troupe

#endif  // TROUPE_SCHEDULER_TIMER_WHEEL_H_
