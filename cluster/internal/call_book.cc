#include "troupe/cluster/internal/call_book.h"

#include <algorithm>
#include <memory>

#include "absl/strings/str_cat.h"
#include "troupe/actor/delivery.h"
#include "troupe/actor/internal/blocked_thread.h"
#include "troupe/actor/internal/end_question.h"

namespace troupe::internal {
namespace {

// Takes the answer of one call for the session with the caller's node.
class AnswerSink final : public ReplySink {
 public:
  AnswerSink(FarCell& peer, uint64_t session, uint64_t number,
             const WireType& type)
      : peer_(peer), session_(session), number_(number), type_(type) {}

  void Take(EnvelopePtr reply) override {
    peer_.TakeFromSession(session_, EnvelopePtr(MakeEnvelope<AnswerReady>(
                                        number_, &type_, std::move(reply))));
    delete this;
  }

 private:
  FarCell& peer_;
  const uint64_t session_;
  const uint64_t number_;
  const WireType& type_;
};

// The same for the end of an actor.
class EndSink final : public ReplySink {
 public:
  EndSink(FarCell& peer, uint64_t session, uint64_t number)
      : peer_(peer), session_(session), number_(number) {}

  void Take(EnvelopePtr reply) override {
    peer_.TakeFromSession(session_,
                          EnvelopePtr(MakeEnvelope<EndKnown>(
                              number_, std::move(reply->As<ExitReason>()))));
    delete this;
  }

 private:
  FarCell& peer_;
  const uint64_t session_;
  const uint64_t number_;
};

}  // namespace

// -- out

uint64_t CallsOut::Begin(const Call& call) {
  const uint64_t number = ++last_;
  calls_.emplace(number, call);
  numbers_.emplace(RouteKey(call.route), number);
  return number;
}

const CallsOut::Call* CallsOut::Look(uint64_t number) const {
  const auto found = calls_.find(number);
  return found != calls_.end() ? &found->second : nullptr;
}

std::optional<CallsOut::Call> CallsOut::Take(uint64_t number) {
  const auto found = calls_.find(number);
  if (found == calls_.end()) return std::nullopt;
  const Call call = found->second;
  calls_.erase(found);
  numbers_.erase(RouteKey(call.route));
  return call;
}

uint64_t CallsOut::Find(const ReplyRoute& route) const {
  const auto found = numbers_.find(RouteKey(route));
  return found != numbers_.end() ? found->second : 0;
}

uint64_t CallsOut::TakeByRoute(const ReplyRoute& route) {
  const auto found = numbers_.find(RouteKey(route));
  if (found == numbers_.end()) return 0;
  const uint64_t number = found->second;
  numbers_.erase(found);
  calls_.erase(number);
  return number;
}

std::vector<std::pair<uint64_t, CallsOut::Call>> CallsOut::TakeLate(
    MonotonicTime now) {
  std::vector<std::pair<uint64_t, Call>> late;
  auto call = calls_.upper_bound(looked_at_);
  for (size_t looks = std::min(kLookedAt, calls_.size()); looks != 0; --looks) {
    if (call == calls_.end()) call = calls_.begin();
    looked_at_ = call->first;
    if (call->second.deadline > now) {
      ++call;
      continue;
    }
    late.emplace_back(*call);
    numbers_.erase(RouteKey(call->second.route));
    call = calls_.erase(call);
  }
  return late;
}

void CallsOut::FailAll(const FarCell& peer) {
  numbers_.clear();
  while (!calls_.empty()) {
    const Call call = calls_.begin()->second;
    calls_.erase(calls_.begin());
    absl::Status status = absl::UnavailableError(absl::StrCat(
        "calling actor #", call.to, " of ", peer.node(), " with ",
        call.type->name, ": the connection was lost before the answer came"));
    SendReply(call.route, MakeFailure(WithDelivery(std::move(status),
                                                   DeliveryState::kUnknown)));
  }
}

// -- in

void CallsIn::Fail(uint64_t number, absl::Status why) {
  peer_.TakeFromSession(session_number_, EnvelopePtr(MakeEnvelope<CallFailed>(
                                             number, std::move(why))));
}

bool CallsIn::Begin(uint64_t number, const AnyActorRef& callee,
                    const WireType& type, uint64_t caller, ReplyRoute& route) {
  const auto [call, is_new] = calls_.try_emplace(number);
  if (!is_new) return false;
  // Deletes itself: a route is answered once.
  route = ReplyRoute::To(*new AnswerSink(peer_, session_number_, number, type),
                         NewSinkNumber());
  call->second = {callee, route, caller};
  return true;
}

uint64_t CallsIn::CallerOf(uint64_t number) const {
  const auto found = calls_.find(number);
  return found != calls_.end() ? found->second.caller : 0;
}

bool CallsIn::AwaitEnd(uint64_t number, const AnyActorRef& actor) {
  const auto [wait, is_new] = waits_.try_emplace(number);
  if (!is_new) return false;
  wait->second = {actor,
                  ReplyRoute::To(*new EndSink(peer_, session_number_, number),
                                 NewSinkNumber())};
  // If there is no such actor, that has been answered.
  (void)AskForEnd(actor, wait->second.route);
  return true;
}

bool CallsIn::RefuseWait(uint64_t number, const absl::Status& why) {
  if (!waits_.try_emplace(number).second) return false;
  peer_.TakeFromSession(session_number_, EnvelopePtr(MakeEnvelope<EndKnown>(
                                             number, ExitReason(), why)));
  return true;
}

void CallsIn::RefuseEnd(uint64_t id, const absl::Status& why) {
  peer_.TakeFromSession(session_number_,
                        EnvelopePtr(MakeEnvelope<EndRefused>(id, why)));
}

void CallsIn::RefuseLink(const LinkItem& link, const absl::Status& why) {
  peer_.TakeFromSession(session_number_,
                        EnvelopePtr(MakeEnvelope<LinkRefused>(link, why)));
}

void CallsIn::Cancel(uint64_t number) {
  const auto found = calls_.find(number);
  if (found == calls_.end()) return;
  const Call call = found->second;
  calls_.erase(found);
  SendCancel(*call.callee.cell(), call.callee.id().value(), call.route);
}

void CallsIn::CancelWait(uint64_t number) {
  const auto found = waits_.find(number);
  if (found == waits_.end()) return;
  const Call wait = found->second;
  waits_.erase(found);
  AskForEndNoMore(wait.callee, wait.route);
}

void CallsIn::CancelAll() {
  while (!calls_.empty()) Cancel(calls_.begin()->first);
  while (!waits_.empty()) CancelWait(waits_.begin()->first);
}

}  // namespace troupe::internal
