// The memory of one run: every store ever made to each atomic location, and for
// each thread which of them it may still read.
//
// It is the C++ memory model as far as it can be played forward: stores to a
// location are ordered as they are made, a load may return any store that its
// thread is not yet known to have been overtaken, an acquire that reads from a
// release learns all that the releasing thread knew. What it does not play:
// loads that return stores of the future, and stores that slip before others in
// a location's order.
//
// Beside the stores it keeps a hash of each thread's causal past. Two runs
// whose threads have equal hashes differ only in the order of steps that do not
// concern one another.
//
// Thread safety: none.
#ifndef TROUPE_TESTING_SCHEDULE_MEMORY_H_
#define TROUPE_TESTING_SCHEDULE_MEMORY_H_

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <vector>

namespace troupe::schedule::internal {

// The run's body and the threads it spawns.
inline constexpr int kMaxThreads = 8;
inline constexpr int kMaxLocations = 64;

// Plain data, to be checked for races.
struct CellState {
  uint32_t written_at = 0;  // In the time of `writer`.
  int writer = 0;
  std::array<uint32_t, kMaxThreads> read_at = {};
};

class Memory {
 public:
  // Forgets everything. `threads` counts the body, which is thread 0.
  void Reset();

  // Begins a thread that knows what `parent` knows. Returns its number.
  int Fork(int parent);
  // `thread` learns all that `ended` knew.
  void Join(int thread, int ended);

  // Adds a location with its first value; returns its number.
  int AddLocation(int thread, uint64_t value);

  // The stores of a location, by number from 0; the newest, and the oldest
  // that `thread` may still read.
  uint32_t Newest(int location) const {
    return static_cast<uint32_t>(locations_[location].stores.size()) - 1;
  }
  uint32_t OldestReadable(int thread, int location,
                          std::memory_order order) const {
    const uint32_t seen = threads_[thread].view.seen[location];
    return order == std::memory_order_seq_cst
               ? std::max(seen, sequential_[location])
               : seen;
  }
  uint64_t Value(int location, uint32_t store) const {
    return locations_[location].stores[store].value;
  }

  // REQUIRES of the first: OldestReadable() <= store <= Newest().
  uint64_t Load(int thread, int location, uint32_t store,
                std::memory_order order);
  void Store(int thread, int location, uint64_t value, std::memory_order order);
  // Reads the newest store and puts `value` right behind it.
  void ReadModifyWrite(int thread, int location, uint64_t value,
                       std::memory_order order);
  // `thread` will not read what is older than `store` any more.
  void Overtake(int thread, int location, uint32_t store);

  // See RealAtomics. Only what a thread did before its last light barrier is
  // surely seen by who has passed a heavy one since, and only what it does
  // after its next one surely sees what that thread did before.
  void LightBarrier(int thread);
  void HeavyBarrier(int thread);

  // Return false if the access races with another.
  bool ReadCell(int thread, CellState& cell);
  bool WriteCell(int thread, CellState& cell);

  // Adds something that decides how `thread` goes on.
  void AddToPast(int thread, uint64_t what);
  // Of the causal past of all threads.
  uint64_t Hash() const;

 private:
  // What a thread knows, and what a release tells.
  struct View {
    std::array<uint32_t, kMaxThreads> time = {};
    std::array<uint32_t, kMaxLocations> seen = {};
  };
  struct Made {
    uint64_t value;
    uint64_t hash;
    View told;  // To whoever acquires from it.
  };
  struct Location {
    std::vector<Made> stores;
    uint64_t readers = 0;  // Hashes of who read since the newest store.
  };
  struct Thread {
    View view;
    View before_barrier;  // As of the last light barrier.
    View after_barrier;   // To be known from the next light barrier on.
    uint64_t past = 0;
    uint64_t past_after_barrier = 0;
  };

  void Learn(View& to, const View& from) const;
  void LearnSeen(View& to, const View& from) const;
  Made& Append(int thread, Location& location, int number, uint64_t value);
  void Tell(int thread, Made& made, std::memory_order order);
  // What `thread` has done to the location is in the order of all that is
  // sequentially consistent, if it is.
  void Agree(int thread, int location, std::memory_order order);

  int threads_begun_ = 0;
  int locations_begun_ = 0;
  std::array<Thread, kMaxThreads> threads_;
  std::array<Location, kMaxLocations> locations_;
  // Of each location the newest store that a sequentially consistent operation
  // made or read: none of them reads an older one from then on.
  std::array<uint32_t, kMaxLocations> sequential_;
};

}  // namespace troupe::schedule::internal

#endif  // TROUPE_TESTING_SCHEDULE_MEMORY_H_
