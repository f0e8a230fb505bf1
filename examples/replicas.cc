// Two copies of a value: a write is repeated until it gets through, a read
// takes the first copy that answers.
//
//   ./bazelw run //examples:replicas
//
// prints
//
//   written: OK
//   read: blue
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/call_any.h"
#include "troupe/actor/retry.h"
#include "troupe/actor/sleep.h"
#include "troupe/actor/task.h"

namespace {

struct Read {
  using Reply = std::string;
};
struct Write {
  std::string value;
  using Reply = absl::Status;
};

class Copy : public troupe::Actor<Read, Write> {
 public:
  explicit Copy(absl::Duration lag) : lag_(lag) {}

  troupe::Task<absl::StatusOr<std::string>> Handle(Read) {
    // False: another copy was faster, and nobody waits any more.
    const bool slept = co_await troupe::Sleep(lag_);
    if (!slept) co_return absl::CancelledError("not needed");
    co_return value_;
  }
  absl::Status Handle(Write m) {
    if (!ready_) {
      ready_ = true;
      return absl::UnavailableError("recovering");
    }
    value_ = std::move(m.value);
    return absl::OkStatus();
  }

 private:
  const absl::Duration lag_;
  bool ready_ = false;
  std::string value_;
};

class Store : public troupe::Actor<Read, Write> {
 public:
  absl::Status PreStart() {
    for (const auto lag : {absl::Hours(1), absl::Milliseconds(1)}) {
      const auto copy = Spawn<Copy>(lag);
      if (!copy.ok()) return copy.status();
      copies_.push_back(*copy);
    }
    return absl::OkStatus();
  }

  troupe::Task<absl::StatusOr<std::string>> Handle(Read) {
    co_return co_await troupe::CallAny<Read>(copies_);
  }
  troupe::Task<absl::Status> Handle(Write m) {
    for (const auto& copy : copies_) {
      absl::Status written = co_await copy.Call<Write>(m.value).Retry(
          {.attempts = 5, .when = absl::IsUnavailable});
      if (!written.ok()) co_return written;
    }
    co_return absl::OkStatus();
  }

 private:
  std::vector<troupe::ActorRef<Read, Write>> copies_;
};

}  // namespace

int main() {
  const auto system = troupe::ActorSystem::Create().value();
  const auto store = system->Spawn<Store>().value();
  std::cout << "written: " << store.Call<Write>("blue").Wait() << "\n";
  std::cout << "read: " << store.Call<Read>().Wait().value() << "\n";
}
