#include "troupe/cluster/grpc/internal/poller.h"

#include <utility>

#include "troupe/base/sanitizer.h"
#include "troupe/scheduler/guest.h"

namespace troupe::internal {

absl::StatusOr<std::unique_ptr<Poller>> Poller::Start(
    ThreadFactory& threads, absl::string_view name,
    std::unique_ptr<grpc::CompletionQueue> queue) {
  auto poller =
      std::unique_ptr<Poller>(new Poller(threads, name, std::move(queue)));
  const absl::Status status = poller->StartThreads();
  if (!status.ok()) {
    poller->Shutdown();
    poller->Poll();  // Only an empty queue may go.
    poller->Join();
    return status;
  }
  return poller;
}

absl::Status Poller::StartThreads() {
  // Under the lock: the first thing that a thread does may be to go.
  absl::MutexLock lock(&mu_);
  if (absl::Status status = StandBy(); !status.ok()) return status;
  absl::StatusOr<std::unique_ptr<JoinableThread>> thread =
      threads_.Start(name_, [this] { Poll(); });
  if (!thread.ok()) return std::move(thread).status();
  polling_ = *std::move(thread);
  return absl::OkStatus();
}

absl::Status Poller::StandBy() {
  absl::StatusOr<std::unique_ptr<JoinableThread>> thread =
      threads_.Start(name_, [this] { AwaitCall(); });
  if (!thread.ok()) return std::move(thread).status();
  standing_by_ = *std::move(thread);
  return absl::OkStatus();
}

void Poller::AwaitCall() {
  {
    absl::MutexLock lock(&mu_);
    const auto called = [this] {
      mu_.AssertHeld();
      return called_ || over_;
    };
    mu_.Await(absl::Condition(&called));
    if (!called_) return;
    called_ = false;
    // Without another one, this one is no guest.
    (void)StandBy();
  }
  Poll();
}

void Poller::Poll() {
  Guest guest([this] { return LetGo(); });
  void* tag = nullptr;
  bool ok = false;
  while (queue_->Next(&tag, &ok)) {
    TakeOver(tag);
    Completion& completion = *static_cast<Completion*>(tag);
    if (!SomebodyStandsBy()) {
      completion.OnDone(ok);
    } else if (!guest.Deliver([&] { completion.OnDone(ok); })) {
      return;
    }
  }
  absl::MutexLock lock(&mu_);
  over_ = true;
}

std::unique_ptr<JoinableThread> Poller::LetGo() {
  absl::MutexLock lock(&mu_);
  called_ = true;
  return std::exchange(polling_, std::move(standing_by_));
}

void Poller::Join() {
  std::unique_ptr<JoinableThread> threads[2];
  {
    absl::MutexLock lock(&mu_);
    mu_.Await(absl::Condition(&over_));
    threads[0] = std::move(polling_);
    threads[1] = std::move(standing_by_);
  }
  for (const auto& thread : threads) {
    if (thread != nullptr) thread->Join();
  }
}

}  // namespace troupe::internal
