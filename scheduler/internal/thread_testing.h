// What tests of threads share: a log that is kept, and threads that are counted
// and may be refused.
#ifndef TROUPE_SCHEDULER_INTERNAL_THREAD_TESTING_H_
#define TROUPE_SCHEDULER_INTERNAL_THREAD_TESTING_H_

#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "troupe/base/log.h"
#include "troupe/scheduler/thread_factory.h"

namespace troupe::internal {

// Keeps what is logged.
class RecordingSink : public LogSink {
 public:
  void Send(const LogEntry& entry) override {
    absl::MutexLock lock(&mu_);
    messages_.emplace_back(entry.text_message());
    origins_.push_back(
        absl::StrCat(entry.source_filename(), ":", entry.source_line()));
  }

  std::vector<std::string> messages() const {
    absl::MutexLock lock(&mu_);
    return messages_;
  }
  // "FILE:LINE" of each message.
  std::vector<std::string> origins() const {
    absl::MutexLock lock(&mu_);
    return origins_;
  }

 private:
  mutable absl::Mutex mu_;
  std::vector<std::string> messages_ ABSL_GUARDED_BY(mu_);
  std::vector<std::string> origins_ ABSL_GUARDED_BY(mu_);
};

// Creates real threads while it may, and counts those that are not joined.
class TestThreadFactory : public ThreadFactory {
 public:
  absl::StatusOr<std::unique_ptr<JoinableThread>> Start(
      absl::string_view name, absl::AnyInvocable<void() &&> body) override {
    absl::MutexLock lock(&mu_);
    if (allowed_ == 0) return absl::ResourceExhaustedError("no threads left");
    --allowed_;
    auto thread = RealThreadFactory().Start(name, std::move(body));
    if (!thread.ok()) return thread.status();
    ++unjoined_;
    return std::make_unique<Thread>(this, *std::move(thread));
  }

  // That many more.
  void Allow(int threads) {
    absl::MutexLock lock(&mu_);
    allowed_ = threads;
  }

  int unjoined() const {
    absl::MutexLock lock(&mu_);
    return unjoined_;
  }

 private:
  class Thread : public JoinableThread {
   public:
    Thread(TestThreadFactory* factory, std::unique_ptr<JoinableThread> thread)
        : factory_(factory), thread_(std::move(thread)) {}

    void Join() override {
      thread_->Join();
      // Time to be caught for whoever counts on this Join() without waiting.
      for (int i = 0; i < 1000; ++i) std::this_thread::yield();
      absl::MutexLock lock(&factory_->mu_);
      --factory_->unjoined_;
    }

   private:
    TestThreadFactory* const factory_;
    const std::unique_ptr<JoinableThread> thread_;
  };

  mutable absl::Mutex mu_;
  int allowed_ ABSL_GUARDED_BY(mu_) = 1'000'000;
  int unjoined_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace troupe::internal

#endif  // TROUPE_SCHEDULER_INTERNAL_THREAD_TESTING_H_
