#include "troupe/cluster/internal/offloader.h"

#include "troupe/scheduler/executor.h"
#include "troupe/scheduler/post.h"

namespace troupe::internal {
namespace {

// Of a node, not of a session: that so many are busy at once is rare, and what
// they do is bound by memory.
constexpr int kMaxThreads = 4;

}  // namespace

Offloader::Offloader(ActorSystem& system) : system_(system) {
  if (!system.executor().has_threads()) return;
  pool_ = std::make_unique<BlockingPool>(
      BlockingPoolOptions{.max_threads = kMaxThreads,
                          .thread_name_prefix = "long",
                          .logger = system.logger()});
}

void Offloader::Run(BlockingPool::Task task) {
  if (pool_ == nullptr) return Post(system_.executor(), std::move(task));
  if (!pool_->Submit(std::move(task)).ok()) std::move(task)();
}

}  // namespace troupe::internal
