// The Atomics policy (base/atomics.h) for code under Explore(), and plain data
// that is checked for races.
//
// Objects live within one run: construct them in its body or its threads.
#ifndef TROUPE_TESTING_SCHEDULE_SCHEDULED_ATOMICS_H_
#define TROUPE_TESTING_SCHEDULE_SCHEDULED_ATOMICS_H_

#include <atomic>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>

#include "troupe/testing/schedule/machine.h"
#include "troupe/testing/schedule/memory.h"
#include "troupe/testing/schedule/options.h"

namespace troupe::schedule {

struct ScheduledAtomics {
  template <typename T>
  class Atomic {
    static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= 8);
    using Kind = Operation::Kind;

   public:
    Atomic() : Atomic(T()) {}
    explicit Atomic(T value)
        : location_(internal::Machine::Current().AddLocation(ToBits(value))) {}
    Atomic(const Atomic&) = delete;
    Atomic& operator=(const Atomic&) = delete;

    T load(std::memory_order order = std::memory_order_seq_cst) const {
      return Do({.kind = Kind::kLoad, .order = order});
    }
    void store(T value, std::memory_order order = std::memory_order_seq_cst) {
      Do({.kind = Kind::kStore, .order = order, .operand = ToBits(value)});
    }
    T exchange(T value, std::memory_order order = std::memory_order_seq_cst) {
      return Do(
          {.kind = Kind::kExchange, .order = order, .operand = ToBits(value)});
    }
    bool compare_exchange_weak(T& expected, T desired, std::memory_order order,
                               std::memory_order failure_order) {
      return CompareExchange(Kind::kCompareExchangeWeak, expected, desired,
                             order, failure_order);
    }
    bool compare_exchange_strong(T& expected, T desired,
                                 std::memory_order order,
                                 std::memory_order failure_order) {
      return CompareExchange(Kind::kCompareExchangeStrong, expected, desired,
                             order, failure_order);
    }
    T fetch_add(T value, std::memory_order order = std::memory_order_seq_cst) {
      return Do(
          {.kind = Kind::kFetchAdd, .order = order, .operand = ToBits(value)});
    }
    T fetch_and(T value, std::memory_order order = std::memory_order_seq_cst) {
      return Do(
          {.kind = Kind::kFetchAnd, .order = order, .operand = ToBits(value)});
    }
    T fetch_or(T value, std::memory_order order = std::memory_order_seq_cst) {
      return Do(
          {.kind = Kind::kFetchOr, .order = order, .operand = ToBits(value)});
    }

   private:
    static uint64_t ToBits(T value) {
      uint64_t bits = 0;
      std::memcpy(&bits, &value, sizeof(value));
      return bits;
    }
    static T FromBits(uint64_t bits) {
      T value;
      std::memcpy(&value, &bits, sizeof(value));
      return value;
    }

    internal::Machine::Outcome Perform(Operation operation) const {
      operation.size_bytes = sizeof(T);
      return internal::Machine::Current().Perform(this, location_, operation);
    }
    T Do(Operation operation) const {
      return FromBits(Perform(operation).value);
    }
    bool CompareExchange(Kind kind, T& expected, T desired,
                         std::memory_order order,
                         std::memory_order failure_order) {
      const internal::Machine::Outcome outcome =
          Perform({.kind = kind,
                   .order = order,
                   .failure_order = failure_order,
                   .expected = ToBits(expected),
                   .operand = ToBits(desired)});
      if (!outcome.exchanged) expected = FromBits(outcome.value);
      return outcome.exchanged;
    }

    const int location_;
  };

  static void LightBarrier() { internal::Machine::Current().LightBarrier(); }
  static void HeavyBarrier() { internal::Machine::Current().HeavyBarrier(); }
  // The thread goes on when another has written to something that this one
  // loaded since it last paused.
  static void SpinPause() { internal::Machine::Current().Pause(false); }
};

// Plain data of one thread at a time. An access that is not ordered after
// another thread's fails the run.
template <typename T>
class ScheduledCell {
 public:
  ScheduledCell() : ScheduledCell(T()) {}
  explicit ScheduledCell(T value) : value_(std::move(value)) {
    internal::Machine::Current().WriteCell(this, state_);
  }
  ~ScheduledCell() { internal::Machine::Current().EndCell(this, state_); }
  ScheduledCell(const ScheduledCell&) = delete;

  ScheduledCell& operator=(T value) {
    Write() = std::move(value);
    return *this;
  }
  ScheduledCell& operator=(const ScheduledCell&) = delete;
  operator const T&() const { return Read(); }

  const T& Read() const {
    internal::Machine::Current().ReadCell(this, state_);
    return value_;
  }
  T& Write() {
    internal::Machine::Current().WriteCell(this, state_);
    return value_;
  }

 private:
  mutable internal::CellState state_;
  T value_;
};

}  // namespace troupe::schedule

#endif  // TROUPE_TESTING_SCHEDULE_SCHEDULED_ATOMICS_H_
