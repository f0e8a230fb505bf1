// The ids of all actors of the process: blocks from one counter, each given to
// one system, so that an id leads to the system that its actor lived in. Those
// of actors of other nodes lead to the system that knows the node.
//
// Thread safety: any thread.
#ifndef TROUPE_ACTOR_INTERNAL_ID_SPACE_H_
#define TROUPE_ACTOR_INTERNAL_ID_SPACE_H_

#include <cstdint>
#include <memory>

namespace troupe::internal {

class SystemCore;

class IdSpace {
 public:
  static constexpr int kBlockBits = 20;
  static constexpr uint64_t kBlockIds = uint64_t{1} << kBlockBits;

  // The first id of a block that is `system`'s from now on. Never 0, and never
  // given twice.
  static uint64_t TakeBlock(const std::shared_ptr<SystemCore>& system);

  // The number of another node, as `system` knows it: what the ids of its
  // actors have above FarCell::kIdBits. 0: all have been given.
  static constexpr uint64_t kMaxNodes = (uint64_t{1} << 16) - 1;
  static uint64_t TakeNode(const std::shared_ptr<SystemCore>& system);

  // The system that `id`, or its node, was given to, if it still exists.
  static std::shared_ptr<SystemCore> Find(uint64_t id);

  // Forgets what belongs to systems that are gone.
  static void Prune();
};

}  // namespace troupe::internal

#endif  // TROUPE_ACTOR_INTERNAL_ID_SPACE_H_
