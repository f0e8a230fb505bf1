#include "troupe/scheduler/thread_factory.h"

#include <pthread.h>

#include <cfenv>
#include <csignal>
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

// Blocks what a new thread is to block, from before it begins: it inherits the
// mask of who makes it.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t blocked;
    sigfillset(&blocked);
    for (const int open :
         {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS, SIGPROF}) {
      sigdelset(&blocked, open);
    }
    pthread_sigmask(SIG_BLOCK, &blocked, &before_);
  }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

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
  // Else it would have that of whoever needed a thread.
  std::fesetenv(FE_DFL_ENV);
  std::move(beginning->body)();
  return nullptr;
}

class PosixThread final : public JoinableThread {
 public:
  PosixThread() = default;
  ~PosixThread() override {
    TROUPE_CHECK(state_ != State::kRuns,
                 "a thread is joined before it is destroyed");
  }

  // Returns an error number, or 0.
  int Begin(Beginning* beginning) {
    const SignalsBlocked signals_blocked;
    const int error = pthread_create(&thread_, nullptr, Run, beginning);
    if (error == 0) state_ = State::kRuns;
    return error;
  }

  void Join() override {
    TROUPE_CHECK(state_ == State::kRuns, "a thread is joined once");
    TROUPE_CHECK(pthread_join(thread_, nullptr) == 0,
                 "a thread does not join itself");
    state_ = State::kJoined;
  }

 private:
  enum class State { kNone, kRuns, kJoined };

  pthread_t thread_;
  State state_ = State::kNone;
};

// pthreads, not std::thread: that reports failure by an exception, which code
// built without exceptions cannot catch.
class PosixThreadFactory final : public ThreadFactory {
 public:
  absl::StatusOr<std::unique_ptr<JoinableThread>> Start(
      absl::string_view name, absl::AnyInvocable<void() &&> body) override {
    auto beginning = std::make_unique<Beginning>(
        Beginning{std::string(name.substr(0, kMaxNameBytes)), std::move(body)});
    // Before the thread runs: memory that cannot be had must not lose it.
    auto thread = std::make_unique<PosixThread>();
    const int error = thread->Begin(beginning.get());
    if (error != 0) {
      return absl::ResourceExhaustedError(
          absl::ErrnoToStatus(error, absl::StrCat("cannot start thread ", name))
              .message());
    }
    beginning.release();  // Run() deletes it.
    return thread;
  }
};

}  // namespace

ThreadFactory& RealThreadFactory() {
  // Never destroyed: threads may be started while the process exits.
  static ThreadFactory& factory = *new PosixThreadFactory;
  return factory;
}

}  // namespace troupe
