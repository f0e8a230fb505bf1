// The links of a transport that are not over.
#ifndef TROUPE_CLUSTER_GRPC_INTERNAL_LINKS_H_
#define TROUPE_CLUSTER_GRPC_INTERNAL_LINKS_H_

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "troupe/base/clock.h"
#include "troupe/base/cond_var.h"
#include "troupe/cluster/grpc/internal/link.h"

namespace troupe::internal {

class Links {
 public:
  // What comes after CloseAll() is closed like that.
  void Add(const std::shared_ptr<Link>& link) ABSL_LOCKS_EXCLUDED(mu_) {
    std::optional<absl::Status> why;
    {
      absl::MutexLock lock(&mu_);
      links_.emplace(link.get(), link);
      why = why_closed_;
    }
    if (why.has_value()) link->Close(*why);
  }
  void Remove(const Link& link) ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    links_.erase(&link);
    removed_.SignalAll();
  }

  void CloseAll(const absl::Status& why) ABSL_LOCKS_EXCLUDED(mu_) {
    for (const std::shared_ptr<Link>& link : CloseTo(why)) link->Close(why);
  }
  // False: some are there still.
  bool AwaitNone(absl::Duration within = absl::InfiniteDuration())
      ABSL_LOCKS_EXCLUDED(mu_) {
    const MonotonicTime deadline = RealClock().Now() + within;
    absl::MutexLock lock(&mu_);
    while (!links_.empty() && !removed_.WaitWithDeadline(&mu_, deadline)) {
    }
    return links_.empty();
  }

 private:
  std::vector<std::shared_ptr<Link>> CloseTo(const absl::Status& why)
      ABSL_LOCKS_EXCLUDED(mu_) {
    std::vector<std::shared_ptr<Link>> all;
    absl::MutexLock lock(&mu_);
    why_closed_ = why;
    for (const auto& [key, link] : links_) {
      if (auto held = link.lock()) all.push_back(std::move(held));
    }
    return all;
  }

  absl::Mutex mu_;
  CondVar removed_;
  std::optional<absl::Status> why_closed_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<const Link*, std::weak_ptr<Link>> links_
      ABSL_GUARDED_BY(mu_);
};

}  // namespace troupe::internal

#endif  // TROUPE_CLUSTER_GRPC_INTERNAL_LINKS_H_
