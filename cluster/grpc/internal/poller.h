// A completion queue of gRPC, and the thread that takes what is in it. The
// thread runs actors that hear of it, too (scheduler/guest.h): so another one
// stands by, should it be kept there.
//
// Whatever is begun with the queue has a Completion as its tag, which the
// thread calls when it is done:
//
//   stream.Read(&buffer, &on_read_);
//
// Order: as gRPC completes; one at a time.
// Ownership: a completion stays until it was called.
// Thread safety: any thread.
#ifndef TROUPE_CLUSTER_GRPC_INTERNAL_POLLER_H_
#define TROUPE_CLUSTER_GRPC_INTERNAL_POLLER_H_

#include <memory>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "grpcpp/completion_queue.h"
#include "troupe/scheduler/thread_factory.h"

namespace troupe::internal {

class Completion {
 public:
  // Whether it did what it was begun for. Must not throw.
  virtual void OnDone(bool ok) = 0;

 protected:
  ~Completion() = default;
};

// Calls a function of its owner.
template <typename T, void (T::*kFunction)(bool ok)>
class CompletionOf final : public Completion {
 public:
  explicit CompletionOf(T* owner) : owner_(owner) {}

  void OnDone(bool ok) override { (owner_->*kFunction)(ok); }

 private:
  T* const owner_;
};

class Poller {
 public:
  // kResourceExhausted: there is no room for another thread.
  static absl::StatusOr<std::unique_ptr<Poller>> Start(
      ThreadFactory& threads, absl::string_view name,
      std::unique_ptr<grpc::CompletionQueue> queue);
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;
  // REQUIRES: Join() has returned.
  ~Poller() = default;

  grpc::CompletionQueue* queue() { return queue_.get(); }

  // Lets the thread end when all that was begun is done. REQUIRES: nothing is
  // begun any more. Called once.
  void Shutdown() { queue_->Shutdown(); }
  // All that was begun is done, and the thread calls nobody any more.
  bool IsOver() const ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    return over_;
  }
  // Waits for the threads. REQUIRES: another thread calls.
  void Join() ABSL_LOCKS_EXCLUDED(mu_);

 private:
  Poller(ThreadFactory& threads, absl::string_view name,
         std::unique_ptr<grpc::CompletionQueue> queue)
      : threads_(threads), name_(name), queue_(std::move(queue)) {}

  absl::Status StartThreads() ABSL_LOCKS_EXCLUDED(mu_);
  absl::Status StandBy() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // What the thread that stands by does.
  void AwaitCall() ABSL_LOCKS_EXCLUDED(mu_);
  // Until the queue is at its end, or this thread is kept elsewhere: then it
  // touches the poller no more.
  void Poll() ABSL_LOCKS_EXCLUDED(mu_);
  // Has the thread that stands by poll; returns the one that did.
  std::unique_ptr<JoinableThread> LetGo() ABSL_LOCKS_EXCLUDED(mu_);
  bool SomebodyStandsBy() const ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    return standing_by_ != nullptr;
  }

  ThreadFactory& threads_;
  const std::string name_;
  const std::unique_ptr<grpc::CompletionQueue> queue_;

  mutable absl::Mutex mu_;
  bool called_ ABSL_GUARDED_BY(mu_) = false;  // Who stands by is to poll.
  bool over_ ABSL_GUARDED_BY(mu_) = false;
  std::unique_ptr<JoinableThread> polling_ ABSL_GUARDED_BY(mu_);
  std::unique_ptr<JoinableThread> standing_by_ ABSL_GUARDED_BY(mu_);
};

}  // namespace troupe::internal

#endif  // TROUPE_CLUSTER_GRPC_INTERNAL_POLLER_H_
