#include "troupe/scheduler/thread_factory.h"

#include <pthread.h>

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "troupe/base/check.h"

namespace troupe {
namespace {

// The longest name that the kernel takes, without the terminating null.
constexpr size_t kMaxNameBytes = 15;

// What a thread needs to begin.
struct Beginning {
  std::string name;
  absl::AnyInvocable<void() &&> body;
};

// noexcept: an exception that leaves a thread ends the process anyway; so it
// does before the stack that tells where it came from is gone.
void* Run(void* argument) noexcept {
  const std::unique_ptr<Beginning> beginning(static_cast<Beginning*>(argument));
  // For people only, so that it does not matter if it fails.
  pthread_setname_np(pthread_self(), beginning->name.c_str());
  std::move(beginning->body)();
  return nullptr;
}

class PosixThread final : public JoinableThread {
 public:
  explicit PosixThread(pthread_t thread) : thread_(thread) {}
  ~PosixThread() override {
    TROUPE_CHECK(joined_, "a thread is joined before it is destroyed");
  }

  void Join() override {
    TROUPE_CHECK(!joined_, "a thread is joined once");
    TROUPE_CHECK(pthread_join(thread_, nullptr) == 0,
                 "a thread does not join itself");
    joined_ = true;
  }

 private:
  const pthread_t thread_;
  bool joined_ = false;
};

// pthreads, not std::thread: that reports failure by an exception, which code
// built without exceptions cannot catch.
class PosixThreadFactory final : public ThreadFactory {
 public:
  absl::StatusOr<std::unique_ptr<JoinableThread>> Start(
      absl::string_view name, absl::AnyInvocable<void() &&> body) override {
    auto beginning = std::make_unique<Beginning>(
        Beginning{std::string(name.substr(0, kMaxNameBytes)), std::move(body)});
    pthread_t thread;
    const int error = pthread_create(&thread, nullptr, Run, beginning.get());
    if (error != 0) {
      return absl::ResourceExhaustedError(
          absl::ErrnoToStatus(error, absl::StrCat("cannot start thread ", name))
              .message());
    }
    beginning.release();  // Run() deletes it.
    return std::make_unique<PosixThread>(thread);
  }
};

}  // namespace

ThreadFactory& RealThreadFactory() {
  // Never destroyed: threads may be started while the process exits.
  static ThreadFactory& factory = *new PosixThreadFactory;
  return factory;
}

}  // namespace troupe
