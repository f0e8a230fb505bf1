#include "troupe/testing/swarm/conservation.h"

#include <string>

#include "absl/strings/str_cat.h"

namespace troupe::swarm {

uint32_t Conservation::Sent(Number sender, Number target, bool counted_apart) {
  messages_.push_back(
      {sender, target, counted_apart ? target : 0, State::kUnderWay});
  ++open_;
  const uint32_t message = static_cast<uint32_t>(messages_.size() - 1);
  journal_.Note(What::kSends, sender, target, message);
  return message;
}

uint32_t Conservation::Offered(Number sender, Number target) {
  const uint32_t message = Sent(sender, target, /*counted_apart=*/true);
  messages_[message].offered = true;
  return message;
}

void Conservation::Handled(uint32_t message, Number by) {
  Message& entry = messages_[message];
  if (entry.state != State::kUnderWay && entry.state != State::kAside) {
    journal_.Break(kName, absl::StrCat("message ", message,
                                       " is handled twice, by #", by));
  }
  if (entry.state == State::kAside) --aside_;
  entry.state = State::kHandled;
  journal_.Note(What::kHandles, by, entry.sender, message);
}

void Conservation::SetAside(uint32_t message, Number by) {
  Message& entry = messages_[message];
  if (entry.state != State::kAside) ++aside_;
  entry.state = State::kAside;
  journal_.Note(What::kSetsAside, by, entry.sender, message);
}

void Conservation::Destroyed(uint32_t message) {
  Message& entry = messages_[message];
  --open_;
  if (entry.state != State::kUnderWay && entry.state != State::kAside) return;
  const bool was_aside = entry.state == State::kAside;
  if (was_aside) --aside_;
  entry.state = State::kLost;
  Account& account = AccountOf(entry.account);
  if (!entry.offered) ++account.lost;
  // What was set aside is not waited for.
  if (entry.sent_at != 0 && entry.sent_at <= account.drained_at && !was_aside) {
    account.lost_before = message;
  }
  journal_.Note(What::kLoses, entry.account, entry.sender, message);
}

void Conservation::DrainBegins(Number target) {
  // By an address besides, nobody knows what has come.
  if (target == 0 || lives_.is_supervised(target)) return;
  uint32_t& at = AccountOf(target).drained_at;
  if (at == 0) at = static_cast<uint32_t>(messages_.size());
}

void Conservation::DeadLetter(Number target, bool counted_apart) {
  ++AccountOf(counted_apart ? target : 0).mourned;
  journal_.Note(What::kDeadLetter, target);
}

void Conservation::CheckAtRest() {
  if (open_ != aside_) {
    std::string which;
    for (uint32_t message = 1; message < messages_.size(); ++message) {
      if (messages_[message].state != State::kUnderWay) continue;
      absl::StrAppend(&which, ", ", message, " to #",
                      messages_[message].target);
    }
    journal_.Break(kName, absl::StrCat(open_, " messages are under way, but ",
                                       aside_, " are kept", which));
  }
  uint64_t lost = 0;
  uint64_t mourned = 0;
  for (Number number = 0; number < accounts_.size(); ++number) {
    const Account& account = accounts_[number];
    if (account.lost_before != 0 && lives_.has_ended(number) &&
        lives_.end_kind(number) == ExitReason::Kind::kDrained) {
      journal_.Break(kName, absl::StrCat("#", number, " has drained, and lost ",
                                         account.lost_before));
    }
    lost += account.lost;
    mourned += account.mourned;
    // What finds another actor in the memory of the one that it was meant for
    // is a dead letter to nobody.
    if (number != 0 && account.mourned > account.lost) {
      Break(number, account.lost, account.mourned);
    }
  }
  if (lost != mourned) Break(0, lost, mourned);
}

void Conservation::Break(Number number, uint64_t lost, uint64_t mourned) {
  journal_.Break(
      kName, absl::StrCat(number == 0 ? "of all" : "of #",
                          number == 0 ? "" : absl::StrCat(number), ", ", lost,
                          " messages were lost, and there were ", mourned,
                          " dead letters"));
}

}  // namespace troupe::swarm
