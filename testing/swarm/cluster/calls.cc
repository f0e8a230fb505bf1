#include "troupe/testing/swarm/cluster/calls.h"

#include <string_view>

#include "absl/strings/str_cat.h"
#include "troupe/actor/delivery.h"

namespace troupe::cluster_swarm {
namespace {

constexpr std::string_view kOnce = "a call ends once";
constexpr std::string_view kHandled = "a request is handled once";
constexpr std::string_view kSession = "calls end with their session";

}  // namespace

uint32_t Calls::Made(Number caller, Number callee, absl::Duration within) {
  calls_.push_back({.caller = caller,
                    .callee = callee,
                    .epoch = lives_.EpochOf(caller, callee),
                    .deadline = journal_.now() + within});
  const uint32_t number = static_cast<uint32_t>(calls_.size());
  journal_.Note("calls", caller, callee, number);
  return number;
}

void Calls::Served(uint32_t number, Number callee, Number who) {
  if (!lives_.counts(who)) return;
  journal_.Note("serves a call of", who, Get(number).caller, number);
  Call& call = Get(number);
  if (callee != who || call.callee != who) {
    journal_.Break(kReachesNoOther,
                   absl::StrCat("#", who, " gets call ", number,
                                " that was for #", call.callee));
  }
  if (!rules_.May(lives_.run(call.caller), Verb::kCall, who)) {
    journal_.Break(Rules::kNoTrace, absl::StrCat("#", who, " serves call ",
                                                 number, " of #", call.caller));
  }
  if (call.served) {
    journal_.Break(kHandled, absl::StrCat("call ", number, " is served twice"));
  }
  if (call.must_not_be_served) {
    journal_.Break(kOnce, absl::StrCat("call ", number,
                                       " is served, and its caller was told "
                                       "that it would not be"));
  }
  call.served = true;
}

void Calls::Ended(uint32_t number, const absl::StatusOr<uint32_t>& answered) {
  Call& call = Get(number);
  if (!lives_.counts(call.caller)) return;
  journal_.Note("has the end of a call of", call.caller, call.callee,
                (uint64_t{number} << 8) +
                    static_cast<uint64_t>(answered.status().code()));
  if (call.ended) {
    journal_.Break(kOnce, absl::StrCat("call ", number, " ends twice"));
  }
  call.ended = true;
  if (answered.ok() && *answered != number) {
    journal_.Break(kOnce, absl::StrCat("call ", number, " gets the answer to ",
                                       *answered));
  }
  if (absl::IsPermissionDenied(answered.status()) &&
      rules_.SurelyMay(lives_.run(call.caller), Verb::kCall, call.callee)) {
    journal_.Break(Rules::kAllowed,
                   absl::StrCat("call ", number,
                                " is refused: ", answered.status().ToString()));
  }
  const DeliveryState delivery = Delivery(answered);
  if (delivery == DeliveryState::kAnswered && !call.served) {
    journal_.Break(kOnce, absl::StrCat("call ", number,
                                       " is answered, and nobody has served "
                                       "it: ",
                                       answered.status().ToString()));
  }
  if (delivery == DeliveryState::kNotDelivered) {
    if (call.served) {
      journal_.Break(kOnce, absl::StrCat("call ", number,
                                         " was served, and its caller is told "
                                         "that it was not"));
    }
    call.must_not_be_served = true;
  }
  // What was lost with the session was told behind it, at once.
  const NodeRun run = lives_.run(call.caller);
  const NodeRun peer = lives_.run(call.callee);
  if (in_time_ && absl::IsDeadlineExceeded(answered.status()) &&
      delivery != DeliveryState::kAnswered && call.epoch.is_up() &&
      call.epoch != sessions_.EpochOf(run, peer) &&
      sessions_.LastDown(run, peer) + absl::Milliseconds(10) < call.deadline) {
    journal_.Break(kSession, absl::StrCat("call ", number,
                                          " waited on when the session had "
                                          "ended"));
  }
}

void Calls::WaitedInVain(Number caller) {
  if (!in_time_ || !lives_.counts(caller)) return;
  journal_.Break(kSession,
                 absl::StrCat("#", caller, " resolves a name in vain"));
}

void Calls::Dropped(uint32_t number) {
  Call& call = Get(number);
  if (!lives_.counts(call.caller)) return;
  journal_.Note("drops a call of", call.caller, call.callee, number);
  call.ended = true;
}

void Calls::CheckAtRest() const {
  for (size_t i = 0; i < calls_.size(); ++i) {
    const Call& call = calls_[i];
    if (call.ended || !lives_.is_alive(call.caller)) continue;
    journal_.Break(kOnce, absl::StrCat("call ", i + 1, " of #", call.caller,
                                       " never ends"));
  }
}

}  // namespace troupe::cluster_swarm
