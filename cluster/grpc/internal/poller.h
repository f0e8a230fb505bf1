// A completion queue of gRPC, and the thread that takes what is in it.
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
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
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
  // Waits for the thread. REQUIRES: another thread calls.
  void Join() { thread_->Join(); }

 private:
  explicit Poller(std::unique_ptr<grpc::CompletionQueue> queue)
      : queue_(std::move(queue)) {}

  void Run();

  const std::unique_ptr<grpc::CompletionQueue> queue_;
  std::unique_ptr<JoinableThread> thread_;
};

}  // namespace troupe::internal

#endif  // TROUPE_CLUSTER_GRPC_INTERNAL_POLLER_H_
