#include "troupe/supervision/internal/supervisor_model.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "troupe/base/check.h"
#include "troupe/base/random.h"
#include "troupe/supervision/strategy.h"

namespace troupe::internal {
namespace {

using Kind = ExitReason::Kind;
using Command = SupervisorCommand;

bool Contains(const SupervisorModel::Keys& keys, ChildKey key) {
  return std::find(keys.begin(), keys.end(), key) != keys.end();
}

void Insert(SupervisorModel::Keys& keys, ChildKey key) {
  if (!Contains(keys, key)) keys.push_back(key);
}

bool Peaceful(Kind kind) {
  return kind == Kind::kNormal || kind == Kind::kShutdown ||
         kind == Kind::kDrained;
}

}  // namespace

void SupervisorModel::Add(ChildKey key, const ChildRules& rules) {
  line_.push_back({.key = key, .rules = rules});
}

void SupervisorModel::Start(MonotonicTime now) {
  now_ = std::max(now_, now);
  begun_ = true;
  if (ending()) return;
  for (Kid& kid : line_) {
    kid.status = ChildStatus::kWaiting;
    kid.start_of = StartOf::kSupervisor;
    starts_.push_back(kid.key);
  }
  GoOn();
}

void SupervisorModel::Shutdown(MonotonicTime now) {
  now_ = std::max(now_, now);
  if (!ending()) TheEnd({.kind = Command::Kind::kFinished});
  GoOn();
}

void SupervisorModel::ChildStarted(ChildKey key, MonotonicTime now) {
  now_ = std::max(now_, now);
  Kid& kid = Of(key);
  kid.reply_due = false;
  kid.start_of = StartOf::kOther;
  kid.up_since = now_;
  if (starting_ == key) starting_.reset();
  if (kid.status == ChildStatus::kStarting) {
    kid.status = ChildStatus::kRunning;
    TellWaiting(kid, 's', AdminOutcome::kDone);
  }
  if (kid.died_before_reply.has_value()) {
    Dead(key, *std::exchange(kid.died_before_reply, std::nullopt));
  }
  GoOn();
}

void SupervisorModel::StartFailed(ChildKey key, MonotonicTime now) {
  now_ = std::max(now_, now);
  Kid& kid = Of(key);
  kid.reply_due = false;
  kid.died_before_reply.reset();
  if (starting_ == key) starting_.reset();
  const bool unasked = kid.status == ChildStatus::kStarting;
  if (!unasked || Contains(halts_, key)) {
    if (unasked) Judge(kid, Verdict::kNone);
    Buried(key);
  } else if (kid.start_of == StartOf::kOther) {
    Broken(key);
  } else if (kid.start_of == StartOf::kSupervisor) {
    // start_link of the supervisor fails, once those that run have ended.
    Judge(kid, Verdict::kStartFailed);
    kid.status = ChildStatus::kIdle;
    TheEnd({.kind = Command::Kind::kFinished,
            .cause = EndCause::kStartFailed,
            .child = key});
  } else {
    // start_child drops the spec of what could not start, restart_child not.
    const bool drop = kid.start_of == StartOf::kNewChild;
    Judge(kid, drop ? Verdict::kForget : Verdict::kLeave);
    kid.status = ChildStatus::kIdle;
    kid.start_of = StartOf::kOther;
    TellWaiting(kid, 's', AdminOutcome::kStartFailed);
    if (drop) Erase(key);
  }
  GoOn();
}

void SupervisorModel::ChildEnded(ChildKey key, Kind kind, MonotonicTime now) {
  now_ = std::max(now_, now);
  if (Of(key).reply_due) {
    Of(key).died_before_reply = kind;
  } else {
    Dead(key, kind);
    GoOn();
  }
}

void SupervisorModel::TimerDue(MonotonicTime now) {
  now_ = std::max(now_, now);
  while (true) {
    Kid* first = nullptr;
    for (Kid& kid : line_) {
      if (!kid.alarm.has_value() || *kid.alarm > now_) continue;
      if (first == nullptr || std::pair(*kid.alarm, kid.key) <
                                  std::pair(*first->alarm, first->key)) {
        first = &kid;
      }
    }
    if (first == nullptr) break;
    first->alarm.reset();
    if (first->status == ChildStatus::kStopping) {
      Say({.kind = Command::Kind::kKill, .child = first->key});
    } else if (!Contains(starts_, first->key)) {
      Boot(*first);
    }
  }
  GoOn();
}

void SupervisorModel::StartChild(ChildKey key, MonotonicTime now,
                                 Ticket ticket) {
  now_ = std::max(now_, now);
  if (ending()) {
    Tell(key, ticket, AdminOutcome::kEnding);
    Erase(key);
    return;
  }
  Of(key).start_of = StartOf::kNewChild;
  Of(key).waiting.push_back({ticket, 's'});
  Boot(Of(key));
}

void SupervisorModel::TerminateChild(ChildKey key, MonotonicTime now,
                                     Ticket ticket) {
  now_ = std::max(now_, now);
  if (ending()) return Tell(key, ticket, AdminOutcome::kEnding);
  Kid& kid = Of(key);
  std::erase(comebacks_, key);
  if (Lives(kid)) {
    if (kid.status != ChildStatus::kStopping) Halt(kid);
    TellWaiting(kid, 'r', AdminOutcome::kStopped);
    kid.waiting.push_back({ticket, 't'});
  } else {
    std::erase(starts_, key);
    kid.alarm.reset();
    kid.status = ChildStatus::kIdle;
    kid.start_of = StartOf::kOther;
    TellWaiting(kid, 's', AdminOutcome::kStopped);
    Tell(key, ticket, AdminOutcome::kDone);
    if (LeavesNoTrace(kid)) Erase(key);
  }
  GoOn();
}

void SupervisorModel::RestartChild(ChildKey key, MonotonicTime now,
                                   Ticket ticket) {
  now_ = std::max(now_, now);
  if (ending()) return Tell(key, ticket, AdminOutcome::kEnding);
  if (how_.strategy == kDynamic) {
    return Tell(key, ticket, AdminOutcome::kNotDynamic);
  }
  Kid& kid = Of(key);
  const bool returns = Contains(comebacks_, key);
  if (kid.status == ChildStatus::kIdle) {
    kid.start_of = StartOf::kOldChild;
    kid.waiting.push_back({ticket, 's'});
    Boot(kid);
  } else if (kid.status == ChildStatus::kRunning && !returns) {
    Tell(key, ticket, AdminOutcome::kRunning);
  } else if (kid.status == ChildStatus::kStopping && !returns) {
    kid.waiting.push_back({ticket, 'r'});
  } else {
    Tell(key, ticket, AdminOutcome::kRestarting);
  }
}

void SupervisorModel::DeleteChild(ChildKey key, MonotonicTime now,
                                  Ticket ticket) {
  now_ = std::max(now_, now);
  if (ending()) return Tell(key, ticket, AdminOutcome::kEnding);
  if (how_.strategy == kDynamic) {
    return Tell(key, ticket, AdminOutcome::kNotDynamic);
  }
  Kid& kid = Of(key);
  const bool returns = Contains(comebacks_, key);
  if (kid.status == ChildStatus::kIdle) {
    Tell(key, ticket, AdminOutcome::kDone);
    Erase(key);
  } else if (kid.status == ChildStatus::kRunning && !returns) {
    Tell(key, ticket, AdminOutcome::kRunning);
  } else if (kid.status == ChildStatus::kStopping && !returns) {
    kid.waiting.push_back({ticket, 'd'});
  } else {
    Tell(key, ticket, AdminOutcome::kRestarting);
  }
}

std::vector<Command> SupervisorModel::TakeCommands() {
  return std::exchange(said_, {});
}

MonotonicTime SupervisorModel::next_wake() const {
  MonotonicTime next = MonotonicTime::InfiniteFuture();
  for (const Kid& kid : line_) next = std::min(next, kid.alarm.value_or(next));
  return next;
}

SupervisorModel::Keys SupervisorModel::order() const {
  Keys keys;
  for (const Kid& kid : line_) keys.push_back(kid.key);
  return keys;
}

ChildStatus SupervisorModel::status(ChildKey key) const {
  return Find(key)->status;
}

uint32_t SupervisorModel::restarts(ChildKey key) const {
  return Find(key)->restarts;
}

SupervisorModel::Kid& SupervisorModel::Of(ChildKey key) {
  TROUPE_CHECK(Find(key) != nullptr, "the model knows the child");
  return *const_cast<Kid*>(Find(key));
}

const SupervisorModel::Kid* SupervisorModel::Find(ChildKey key) const {
  for (const Kid& kid : line_) {
    if (kid.key == key) return &kid;
  }
  return nullptr;
}

bool SupervisorModel::Lives(const Kid& kid) {
  return kid.status == ChildStatus::kStarting ||
         kid.status == ChildStatus::kRunning ||
         kid.status == ChildStatus::kStopping;
}

bool SupervisorModel::LeavesNoTrace(const Kid& kid) const {
  return kid.rules.restart == kTemporary || how_.strategy == kDynamic;
}

void SupervisorModel::Tell(ChildKey key, Ticket ticket, AdminOutcome outcome) {
  Say({.kind = Command::Kind::kAnswer,
       .outcome = outcome,
       .child = key,
       .ticket = ticket});
}

void SupervisorModel::TellWaiting(Kid& kid, char what, AdminOutcome outcome) {
  for (const auto& [ticket, letter] : kid.waiting) {
    if (letter == what) Tell(kid.key, ticket, outcome);
  }
  std::erase_if(kid.waiting,
                [what](const auto& entry) { return entry.second == what; });
}

void SupervisorModel::Judge(const Kid& kid, Verdict verdict,
                            absl::Duration delay) {
  Say({.kind = Command::Kind::kReport,
       .verdict = verdict,
       .child = kid.key,
       .restarts = kid.restarts,
       .delay = delay});
}

void SupervisorModel::Boot(Kid& kid) {
  kid.status = ChildStatus::kStarting;
  kid.reply_due = true;
  if (kid.start_of == StartOf::kOther) ++kid.restarts;
  Say({.kind = Command::Kind::kStart, .child = kid.key});
}

void SupervisorModel::Halt(Kid& kid) {
  kid.status = ChildStatus::kStopping;
  if (starting_ == kid.key) starting_.reset();
  if (kid.rules.shutdown.IsBrutal()) {
    Say({.kind = Command::Kind::kKill, .child = kid.key});
  } else {
    Say({.kind = Command::Kind::kStop, .child = kid.key});
    if (kid.rules.shutdown.limit() != absl::InfiniteDuration()) {
      kid.alarm = now_ + kid.rules.shutdown.limit();
    }
  }
}

void SupervisorModel::Erase(ChildKey key) {
  TellWaiting(Of(key), 'r', AdminOutcome::kNoSuchChild);
  TellWaiting(Of(key), 'd', AdminOutcome::kNoSuchChild);
  Say({.kind = Command::Kind::kForget, .child = key});
  std::erase_if(line_, [key](const Kid& kid) { return kid.key == key; });
}

void SupervisorModel::Dead(ChildKey key, Kind kind) {
  Kid& kid = Of(key);
  if (kid.rules.backoff.has_value() &&
      now_ - kid.up_since >= kid.rules.backoff->reset_after) {
    kid.failures = 0;
  }
  if (kid.status == ChildStatus::kStopping || Contains(halts_, key)) {
    const bool as_asked = Peaceful(kind) || (kind == Kind::kKilled &&
                                             kid.rules.shutdown.IsBrutal());
    if (!as_asked) Judge(kid, Verdict::kNone);
    return Buried(key);
  }
  const bool restart = kid.rules.restart == kPermanent ||
                       (kid.rules.restart == kTransient && !Peaceful(kind));
  if (restart) return Broken(key);

  kid.status = ChildStatus::kIdle;
  bool shut = kid.rules.significant && how_.auto_shutdown != kNever;
  if (shut && how_.auto_shutdown == kAllSignificant) {
    for (const Kid& other : line_) {
      if (other.rules.significant && other.status != ChildStatus::kIdle) {
        shut = false;
      }
    }
  }
  if (shut) {
    Judge(kid, Verdict::kAutoShutdown);
    TheEnd({.kind = Command::Kind::kFinished,
            .cause = EndCause::kAutoShutdown,
            .child = key});
  } else if (LeavesNoTrace(kid)) {
    Judge(kid, Verdict::kForget);
    Erase(key);
  } else {
    Judge(kid, Verdict::kLeave);
  }
}

void SupervisorModel::Buried(ChildKey key) {
  Kid& kid = Of(key);
  std::erase(halts_, key);
  kid.alarm.reset();
  const bool returns = std::erase(comebacks_, key) > 0;
  if (returns) {
    kid.status = ChildStatus::kWaiting;
    Insert(starts_, key);
  } else {
    kid.status = ChildStatus::kIdle;
    kid.start_of = StartOf::kOther;
  }
  TellWaiting(kid, 't', AdminOutcome::kDone);
  if (!returns) {
    TellWaiting(kid, 's',
                ending() ? AdminOutcome::kEnding : AdminOutcome::kStopped);
  }
  if (!returns && !ending() && LeavesNoTrace(kid)) return Erase(key);
  Resume(key);
}

void SupervisorModel::Resume(ChildKey key) {
  if (Find(key) == nullptr) return;
  auto& waiting = Of(key).waiting;
  const auto next =
      std::find_if(waiting.begin(), waiting.end(),
                   [](const auto& entry) { return entry.second != 's'; });
  if (next == waiting.end()) return;
  const auto [ticket, what] = *next;
  waiting.erase(next);
  if (what == 'r') {
    RestartChild(key, now_, ticket);
  } else {
    DeleteChild(key, now_, ticket);
  }
  Resume(key);
}

void SupervisorModel::Broken(ChildKey key) {
  Kid& kid = Of(key);
  Command give_up = {.kind = Command::Kind::kFinished,
                     .cause = EndCause::kGaveUp,
                     .child = key};
  absl::Duration delay = absl::ZeroDuration();
  bool too_many;
  if (kid.rules.backoff.has_value()) {
    const RestartBackoff& backoff = *kid.rules.backoff;
    ++kid.failures;
    too_many = kid.failures > how_.intensity.restarts;
    give_up.restarts = kid.failures;
    give_up.within = absl::InfiniteDuration();
    if (!too_many) {
      delay = backoff.initial;
      for (uint32_t i = 1; i < kid.failures; ++i) delay *= backoff.factor;
      delay = std::min(delay, backoff.max);
      if (backoff.jitter > 0) {
        delay *= 1 + backoff.jitter *
                         (std::ldexp(random_.NextUint64() >> 11, -52) - 1);
      }
    }
  } else {
    std::erase_if(counted_, [this](MonotonicTime at) {
      return at < now_ - how_.intensity.within;
    });
    counted_.push_back(now_);
    too_many = counted_.size() > how_.intensity.restarts;
    give_up.restarts = counted_.size();
    give_up.within = now_ - counted_.front();
  }
  if (too_many) {
    Judge(kid, Verdict::kGiveUp);
    kid.status = ChildStatus::kWaiting;
    return TheEnd(give_up);
  }
  kid.status = ChildStatus::kWaiting;
  if (delay > absl::ZeroDuration()) kid.alarm = now_ + delay;
  if (how_.strategy == kOneForAll) {
    Judge(kid, Verdict::kRestartAll, delay);
    RestartGroup(key, true);
  } else if (how_.strategy == kRestForOne) {
    Judge(kid, Verdict::kRestartRest, delay);
    RestartGroup(key, false);
  } else {
    Judge(kid, Verdict::kRestart, delay);
    if (!kid.alarm.has_value()) Boot(kid);
  }
}

void SupervisorModel::RestartGroup(ChildKey culprit, bool before_too) {
  bool in_group = before_too;
  for (Kid& kid : line_) {
    if (kid.key == culprit) {
      in_group = true;
      Insert(starts_, kid.key);
    } else if (in_group && Lives(kid)) {
      Insert(halts_, kid.key);
      if (kid.rules.restart != kTemporary) {
        Insert(comebacks_, kid.key);
        if (kid.start_of != StartOf::kSupervisor) {
          kid.start_of = StartOf::kOther;
        }
      }
    } else if (in_group) {
      kid.status = ChildStatus::kWaiting;
      Insert(starts_, kid.key);
    }
  }
}

void SupervisorModel::TheEnd(Command last_word) {
  last_word_ = last_word;
  starts_.clear();
  comebacks_.clear();
  for (auto kid = line_.rbegin(); kid != line_.rend(); ++kid) {
    if (!Lives(*kid)) {
      kid->status = ChildStatus::kIdle;
      kid->alarm.reset();
      TellWaiting(*kid, 's', AdminOutcome::kEnding);
    } else if (how_.strategy != kDynamic) {
      Insert(halts_, kid->key);
    } else if (kid->status != ChildStatus::kStopping) {
      Halt(*kid);
    }
  }
}

void SupervisorModel::GoOn() {
  // Stops come before starts, the last child first.
  for (auto kid = line_.rbegin(); kid != line_.rend(); ++kid) {
    if (!Contains(halts_, kid->key)) continue;
    if (kid->status != ChildStatus::kStopping) Halt(*kid);
    return;
  }
  if (ending()) {
    const bool rest = std::none_of(line_.begin(), line_.end(), Lives);
    if (rest && !over_) Say(*last_word_);
    over_ = over_ || rest;
    return;
  }
  if (starting_.has_value()) return;
  for (Kid& kid : line_) {
    if (!Contains(starts_, kid.key)) continue;
    if (kid.alarm.has_value()) return;
    std::erase(starts_, kid.key);
    starting_ = kid.key;
    Boot(kid);
    return;
  }
  if (begun_ && !all_up_) Say({.kind = Command::Kind::kReady});
  all_up_ = all_up_ || begun_;
}

}  // namespace troupe::internal
