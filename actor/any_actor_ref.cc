#include "troupe/actor/any_actor_ref.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "troupe/actor/internal/blocked_thread.h"
#include "troupe/actor/internal/cell.h"
#include "troupe/actor/internal/end_question.h"
#include "troupe/actor/internal/far_cell.h"
#include "troupe/actor/internal/id_space.h"
#include "troupe/actor/internal/reply.h"
#include "troupe/actor/internal/send.h"
#include "troupe/actor/internal/system_core.h"

namespace troupe {
namespace {

using internal::BlockedThread;
using internal::BlockedThreadPtr;
using internal::Cell;
using internal::Ending;
using internal::FarCell;

absl::string_view ToAbsl(std::string_view text) {
  return absl::string_view(text.data(), text.size());
}

// Such as "{Deposit, Balance}".
std::string NamesOf(absl::Span<const MessageType* const> messages) {
  return absl::StrCat(
      "{",
      absl::StrJoin(messages, ", ",
                    [](std::string* out, const MessageType* message) {
                      absl::StrAppend(out, ToAbsl(message->name));
                    }),
      "}");
}

// Begins a wait, runs `request`, which asks for the end `next`, and waits.
absl::StatusOr<ExitReason> WaitAfter(const AnyActorRef& ref,
                                     absl::FunctionRef<void()> request,
                                     absl::Duration timeout,
                                     Ending next = Ending::kNone) {
  if (this_thread.InTurn()) {
    return absl::FailedPreconditionError(
        absl::StrCat("waiting for ", ref.ToString(),
                     " inside a handler would block its worker; make the "
                     "handler a Task and await Ended(), or Ended().ByStop() "
                     "and its kin to have it end"));
  }
  const std::shared_ptr<internal::SystemCore> system =
      internal::IdSpace::Find(ref.id().value());
  if (system == nullptr || ref.cell() == nullptr) return ExitReason::NoActor();
  const BlockedThreadPtr thread(new BlockedThread);
  const internal::ReplyRoute route = thread->route();
  if (!internal::AskForEnd(ref, route, next)) {
    return internal::WhyGone(ref);
  }
  request();
  Executor& executor = system->executor();
  if (!executor.WaitFor(thread->answered(), executor.clock().Now() + timeout)) {
    internal::AskForEndNoMore(ref, route, next);
    return absl::DeadlineExceededError(
        absl::StrCat(ref.ToString(), " has not ended within ",
                     absl::FormatDuration(timeout)));
  }
  return internal::TakeEnd(*thread->TakeReply());
}

}  // namespace

bool AnyActorRef::IsRemote() const { return FarCell::Of(cell_) != nullptr; }

ActorStatus AnyActorRef::status() const {
  if (const FarCell* const far = FarCell::Of(cell_)) {
    return far->IsOpen() ? ActorStatus::kRunning : ActorStatus::kStopped;
  }
  return cell_ != nullptr ? cell_->StatusOf(id_) : ActorStatus::kStopped;
}

std::string AnyActorRef::ToString() const {
  if (IsNull()) return "no actor";
  if (const FarCell* const far = FarCell::Of(cell_)) {
    return absl::StrCat("actor #", id_ & FarCell::kIdMask, " of ", far->node());
  }
  return absl::StrCat("actor ", id().ToString());
}

namespace {

// Null: there is no such actor any more. The type may be gone at any time: the
// actor may end.
const internal::ActorType* TypeOf(const Cell* cell, uint64_t id) {
  return cell != nullptr && cell->IsAliveAs(id) ? cell->SharedType() : nullptr;
}

}  // namespace

absl::Span<const MessageType* const> AnyActorRef::messages() const {
  const internal::ActorType* const type = TypeOf(cell_, id_);
  return type != nullptr ? type->messages
                         : absl::Span<const MessageType* const>();
}

namespace {

bool Contains(absl::Span<const MessageType* const> messages,
              const MessageType* message) {
  return std::find(messages.begin(), messages.end(), message) != messages.end();
}

}  // namespace

bool AnyActorRef::Takes(absl::Span<const MessageType* const> messages) const {
  const internal::ActorType* const type = TypeOf(cell_, id_);
  if (type == nullptr) return false;
  for (const MessageType* const message : messages) {
    if (!Contains(type->messages, message)) return false;
  }
  return true;
}

absl::Status AnyActorRef::WhyNotTaken(
    absl::Span<const MessageType* const> messages) const {
  if (const internal::ActorType* const type = TypeOf(cell_, id_)) {
    for (const MessageType* const message : messages) {
      if (Contains(type->messages, message)) continue;
      return absl::FailedPreconditionError(absl::StrCat(
          ToString(), ", a ", ToAbsl(type->class_name),
          ", does not take the message ", ToAbsl(message->name), " of ",
          NamesOf(messages), "; it takes ", NamesOf(type->messages)));
    }
  }
  if (IsRemote()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "what messages ", ToString(), " takes is not known here; resolve it"));
  }
  return absl::NotFoundError(absl::StrCat(ToString(), " does not exist"));
}

void AnyActorRef::Stop() const { Stop(ExitReason::Normal()); }

void AnyActorRef::Stop(const ExitReason& reason) const {
  if (cell_ == nullptr) return;
  if (!reason.IsGraceful()) {
    Stop(ExitReason::Normal(reason.ToString()));
    return;
  }
  internal::SendRequest(*cell_, id_, Ending::kStop, reason);
}

void AnyActorRef::Kill() const {
  if (cell_ == nullptr) return;
  internal::SendRequest(*cell_, id_, Ending::kKill, ExitReason::Killed());
}

void AnyActorRef::Drain() const {
  if (cell_ == nullptr) return;
  internal::SendRequest(*cell_, id_, Ending::kDrain, ExitReason::Drained());
}

absl::StatusOr<ExitReason> AnyActorRef::Wait(absl::Duration timeout) const {
  return WaitAfter(
      *this, [] {}, timeout);
}

absl::StatusOr<ExitReason> AnyActorRef::StopAndWait(
    const ExitReason& reason, absl::Duration timeout) const {
  return WaitAfter(
      *this, [&] { Stop(reason); }, timeout, Ending::kStop);
}

absl::StatusOr<ExitReason> AnyActorRef::KillAndWait(
    absl::Duration timeout) const {
  return WaitAfter(
      *this, [&] { Kill(); }, timeout, Ending::kKill);
}

absl::StatusOr<ExitReason> AnyActorRef::DrainAndWait(
    absl::Duration timeout) const {
  return WaitAfter(
      *this, [&] { Drain(); }, timeout, Ending::kDrain);
}

}  // namespace troupe
