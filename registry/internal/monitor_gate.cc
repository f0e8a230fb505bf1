#include "troupe/registry/internal/monitor_gate.h"

#include "troupe/actor/internal/send.h"
#include "troupe/actor/internal/shared_message.h"
#include "troupe/actor/send_result.h"
#include "troupe/mailbox/envelope.h"

namespace troupe::internal {

void MonitorGate::Push(SharedBody change) {
  {
    absl::MutexLock lock(&mu_);
    ++under_way_;
  }
  Envelope* const envelope = MakeSourceEnvelope(
      kSharedMessageType<GroupChanged>, std::move(change), *this);
  const SendResult result =
      PushBehindAll(*monitor_.cell(), monitor_.id().value(), envelope);
  // It is ending: there is nobody to miss it.
  if (IsRefused(result)) DestroyEnvelope(envelope);
}

void MonitorGate::Shut() {
  bool done;
  {
    absl::MutexLock lock(&mu_);
    open_ = false;
    done = under_way_ == 0;
  }
  if (done) delete this;
}

bool MonitorGate::Come() {
  bool open;
  bool done;
  {
    absl::MutexLock lock(&mu_);
    open = open_;
    done = --under_way_ == 0 && !open;
  }
  if (done) delete this;
  return open;
}

SharedBody MonitorGate::Arrive(SharedBody change) {
  return Come() ? std::move(change) : SharedBody();
}

// To a monitor that has ended them, they are no dead letters.
uint32_t MonitorGate::Lose() { return Come() ? 1 : 0; }

}  // namespace troupe::internal
