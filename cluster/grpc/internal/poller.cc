#include "troupe/cluster/grpc/internal/poller.h"

#include <utility>

namespace troupe::internal {

absl::StatusOr<std::unique_ptr<Poller>> Poller::Start(
    ThreadFactory& threads, absl::string_view name,
    std::unique_ptr<grpc::CompletionQueue> queue) {
  auto poller = std::unique_ptr<Poller>(new Poller(std::move(queue)));
  absl::StatusOr<std::unique_ptr<JoinableThread>> thread =
      threads.Start(name, [poller = poller.get()] { poller->Run(); });
  if (!thread.ok()) {
    poller->Shutdown();
    poller->Run();  // Only an empty queue may go.
    return std::move(thread).status();
  }
  poller->thread_ = *std::move(thread);
  return poller;
}

void Poller::Run() {
  void* tag = nullptr;
  bool ok = false;
  while (queue_->Next(&tag, &ok)) static_cast<Completion*>(tag)->OnDone(ok);
}

}  // namespace troupe::internal
