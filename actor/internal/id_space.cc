#include "troupe/actor/internal/id_space.h"

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "troupe/actor/internal/far_cell.h"

namespace troupe::internal {
namespace {

struct Blocks {
  absl::Mutex mu;
  uint64_t given ABSL_GUARDED_BY(mu) = 0;
  absl::flat_hash_map<uint64_t, std::weak_ptr<SystemCore>> systems
      ABSL_GUARDED_BY(mu);
  uint64_t given_nodes ABSL_GUARDED_BY(mu) = 0;
  absl::flat_hash_map<uint64_t, std::weak_ptr<SystemCore>> nodes
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

uint64_t IdSpace::TakeNode(const std::shared_ptr<SystemCore>& system) {
  Blocks& blocks = GetBlocks();
  absl::MutexLock lock(&blocks.mu);
  if (blocks.given_nodes == kMaxNodes) return 0;
  const uint64_t node = ++blocks.given_nodes;
  blocks.nodes.emplace(node, system);
  return node;
}

std::shared_ptr<SystemCore> IdSpace::Find(uint64_t id) {
  Blocks& blocks = GetBlocks();
  absl::MutexLock lock(&blocks.mu);
  if (const uint64_t node = id >> FarCell::kIdBits; node != 0) {
    const auto found = blocks.nodes.find(node);
    return found != blocks.nodes.end() ? found->second.lock() : nullptr;
  }
  const auto found = blocks.systems.find(id >> kBlockBits);
  return found != blocks.systems.end() ? found->second.lock() : nullptr;
}

void IdSpace::Prune() {
  Blocks& blocks = GetBlocks();
  absl::MutexLock lock(&blocks.mu);
  const auto gone = [](const auto& entry) { return entry.second.expired(); };
  absl::erase_if(blocks.systems, gone);
  absl::erase_if(blocks.nodes, gone);
}

}  // namespace troupe::internal
