#include "troupe/actor/internal/id_space.h"

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"

namespace troupe::internal {
namespace {

struct Blocks {
  absl::Mutex mu;
  uint64_t given ABSL_GUARDED_BY(mu) = 0;
  absl::flat_hash_map<uint64_t, std::weak_ptr<SystemCore>> systems
      ABSL_GUARDED_BY(mu);
};

Blocks& GetBlocks() {
  static Blocks* const blocks = new Blocks;  // As long as the process.
  return *blocks;
}

}  // namespace

uint64_t IdSpace::TakeBlock(const std::shared_ptr<SystemCore>& system) {
  Blocks& blocks = GetBlocks();
  absl::MutexLock lock(&blocks.mu);
  const uint64_t block = ++blocks.given;
  blocks.systems.emplace(block, system);
  return block << kBlockBits;
}

std::shared_ptr<SystemCore> IdSpace::Find(uint64_t id) {
  Blocks& blocks = GetBlocks();
  absl::MutexLock lock(&blocks.mu);
  const auto found = blocks.systems.find(id >> kBlockBits);
  return found != blocks.systems.end() ? found->second.lock() : nullptr;
}

void IdSpace::Prune() {
  Blocks& blocks = GetBlocks();
  absl::MutexLock lock(&blocks.mu);
  absl::erase_if(blocks.systems,
                 [](const auto& entry) { return entry.second.expired(); });
}

}  // namespace troupe::internal
