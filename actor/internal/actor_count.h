// How many actors a system has: each worker counts for itself, and plain
// threads together. Who ends the system waits for the sum to be zero.
//
// 1. A spawn is counted before anybody else can reach the actor, and so before
//    its end is; a child's, before the end of its parent.
// 2. Ends are summed up before spawns, and who sees an end sees what happened
//    before: the spawn of that actor, and all that it had spawned.
// So the sum is never less than what lives: zero means that nothing does, and,
// with no more top-level actors to come, that nothing will. What lives may be
// less than the sum, until one looks again.
//
// Thread safety: ActorCount is its worker's, but for spawned() and ended();
// SharedActorCount any thread. The sets of counts do not change while they are
// summed up.
#ifndef TROUPE_ACTOR_INTERNAL_ACTOR_COUNT_H_
#define TROUPE_ACTOR_INTERNAL_ACTOR_COUNT_H_

#include <atomic>
#include <cstdint>

#include "troupe/base/atomics.h"

namespace troupe::internal {

template <typename Atomics>
class CountedActors {
 public:
  // Relaxed: whoever sees less has not seen the end of what was spawned either.
  uint64_t spawned() const { return spawned_.load(std::memory_order_relaxed); }
  // SEE END. Acquire pairs with END: see 2, and who sees that an actor has
  // ended sees what its end did.
  uint64_t ended() const { return ended_.load(std::memory_order_acquire); }

 protected:
  CountedActors() = default;
  ~CountedActors() = default;

  typename Atomics::template Atomic<uint64_t> spawned_{0};
  typename Atomics::template Atomic<uint64_t> ended_{0};
};

template <typename Atomics = RealAtomics>
class ActorCount : public CountedActors<Atomics> {
 public:
  // Relaxed: END of whatever this comes before, by whichever worker, brings it.
  void CountSpawn() {
    this->spawned_.store(this->spawned() + 1, std::memory_order_relaxed);
  }
  // END. Release: what the end did comes before.
  void CountEnd() {
    // Nobody else writes it.
    const uint64_t ended = this->ended_.load(std::memory_order_relaxed);
    this->ended_.store(ended + 1, std::memory_order_release);
  }
};

template <typename Atomics = RealAtomics>
class SharedActorCount : public CountedActors<Atomics> {
 public:
  void CountSpawn() { this->spawned_.fetch_add(1, std::memory_order_relaxed); }
  // END, as above.
  void CountEnd() { this->ended_.fetch_add(1, std::memory_order_release); }
  // What a worker has counted that goes. Nobody sums up meanwhile.
  void Add(const CountedActors<Atomics>& other) {
    this->spawned_.fetch_add(other.spawned(), std::memory_order_relaxed);
    this->ended_.fetch_add(other.ended(), std::memory_order_release);
  }
};

// `for_each(visit)` calls visit(const CountedActors<...>&) for every count.
template <typename ForEach>
uint64_t SumOfActors(ForEach&& for_each) {
  uint64_t ended = 0;
  for_each([&ended](const auto& count) { ended += count.ended(); });
  uint64_t spawned = 0;
  for_each([&spawned](const auto& count) { spawned += count.spawned(); });
  return spawned - ended;
}

}  // namespace troupe::internal

#endif  // TROUPE_ACTOR_INTERNAL_ACTOR_COUNT_H_
