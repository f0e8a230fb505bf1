#include "troupe/testing/swarm/restarts.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "troupe/supervision/child_status.h"

namespace troupe::swarm {

using Decision = SupervisionReport::Decision;

// -- what there is to be

uint32_t Restarts::Supervisor(Strategy strategy, const Intensity& intensity) {
  supervisors_.push_back({strategy, intensity});
  return supervisors() - 1;
}

uint32_t Restarts::Child(uint32_t supervisor, const ChildOptions& options,
                         bool added) {
  children_.push_back({supervisor, options, added});
  const uint32_t child = children() - 1;
  by_id_[options.id] = child;
  supervisors_[supervisor].children.push_back(child);
  return child;
}

// -- what happens

void Restarts::Begins(uint32_t supervisor, Number instance) {
  Supervising& entry = supervisors_[supervisor];
  entry.instance = instance;
  entry.is_ready = false;
  entry.ends_itself = false;
  entry.restarts_ns.clear();
  // What was added to another instance is gone with it.
  std::erase_if(entry.children,
                [&](uint32_t child) { return children_[child].added; });
  for (const uint32_t child : entry.children) {
    Supervised& of_it = children_[child];
    of_it.touched = false;
    of_it.by_hand = 0;
    of_it.instance = 0;
    of_it.has_started = false;
    of_it.failures = 0;
    of_it.not_before_ns = 0;
  }
}

void Restarts::Ready(uint32_t supervisor) {
  supervisors_[supervisor].is_ready = true;
}

void Restarts::Starts(uint32_t child, Number instance) {
  Supervised& entry = children_[child];
  const Supervising& supervisor = supervisors_[entry.supervisor];
  by_instance_[instance] = child;
  if (journal_.now_ns() < entry.not_before_ns) {
    Break(kBackoff, entry.supervisor, "a child is restarted before its delay");
  }
  entry.not_before_ns = 0;
  if (lives_.is_alive(entry.instance)) {
    Break(kOrder, entry.supervisor, "a child has two instances");
  }
  entry.has_started |= lives_.has_started(entry.instance);
  entry.instance = instance;
  if (supervisor.is_ready) return;
  for (const uint32_t earlier : supervisor.children) {
    if (earlier == child) return;
    const Supervised& before = children_[earlier];
    // One that was stopped while it started does not start again.
    if (before.options.restart == kTemporary && before.instance != 0) continue;
    if (!before.has_started && !lives_.has_started(before.instance)) {
      return Break(kOrder, entry.supervisor,
                   "a child starts when the one before it has started");
    }
  }
}

void Restarts::Stops(Number instance, ExitReason::Kind kind) {
  if (kind != ExitReason::Kind::kShutdown) return;
  for (const Supervising& supervisor : supervisors_) {
    if (supervisor.instance == instance && supervisor.ends_itself) return;
  }
  Supervised* const child = ChildOf(instance);
  // It may have been stopped for its own sake.
  if (child == nullptr || child->touched || watches_.HasLinks(instance)) return;
  const Supervising& supervisor = supervisors_[child->supervisor];
  if (supervisor.strategy == kDynamic) return;
  for (size_t i = supervisor.children.size(); i > 0; --i) {
    const Supervised& later = children_[supervisor.children[i - 1]];
    if (&later == child) return;
    if (!later.added && !later.touched && lives_.is_alive(later.instance)) {
      return Break(kOrder, child->supervisor,
                   "a child stops when the one after it has ended");
    }
  }
}

void Restarts::ByHandBegins(uint32_t child) {
  Supervised& entry = children_[child];
  entry.touched = true;
  ++entry.by_hand;
  entry.not_before_ns = 0;
}

void Restarts::ByHandEnds(uint32_t child, Number asked) {
  Supervised& entry = children_[child];
  if (instance(entry.supervisor) == asked) --entry.by_hand;
}

void Restarts::SaidToRun(Number instance) {
  const Supervised* const child = ChildOf(instance);
  if (child != nullptr && !lives_.has_started(instance)) {
    Break(kRun, child->supervisor, "a child is said to run that does not");
  }
}

void Restarts::Reported(const SupervisionReport& report) {
  uint32_t number = 0;
  const size_t slash = report.supervisor.rfind('/');
  if (!absl::SimpleAtoi(
          report.supervisor.substr(slash == std::string::npos ? 0 : slash + 1),
          &number)) {
    return;
  }
  journal_.Note(What::kRestarts, lives_.NumberOf(report.instance), number,
                static_cast<uint64_t>(report.decision));
  switch (report.decision) {
    case Decision::kAutoShutdown:
      supervisors_[number].ends_itself = true;
      return;
    case Decision::kRestart:
    case Decision::kRestartAll:
    case Decision::kRestartRest:
    case Decision::kGiveUp:
      break;
    default:
      return;
  }
  const auto found = by_id_.find(report.child);
  if (found == by_id_.end() || children_[found->second].supervisor != number) {
    return Break(kName, number, "it reports a child that it does not have");
  }
  Supervised& child = children_[found->second];
  if (child.options.backoff.has_value()) {
    FailedWithBackoff(number, child, report);
  } else {
    FailedWithout(number, report);
  }
}

void Restarts::FailedWithout(uint32_t number, const SupervisionReport& report) {
  Supervising& supervisor = supervisors_[number];
  const int64_t now_ns = journal_.now_ns();
  std::deque<int64_t>& restarts_ns = supervisor.restarts_ns;
  const int64_t oldest_ns =
      now_ns - absl::ToInt64Nanoseconds(supervisor.intensity.within);
  while (!restarts_ns.empty() && restarts_ns.front() < oldest_ns) {
    restarts_ns.pop_front();
  }
  const bool may_restart =
      restarts_ns.size() < static_cast<size_t>(supervisor.intensity.restarts);
  if (report.decision == Decision::kGiveUp) {
    if (may_restart) Break(kName, number, "it gives up too early");
    return;
  }
  if (!may_restart) Break(kName, number, "that is one restart too many");
  if (report.delay != absl::ZeroDuration()) {
    Break(kBackoff, number, "a restart is delayed without a reason");
  }
  restarts_ns.push_back(now_ns);
}

void Restarts::FailedWithBackoff(uint32_t number, Supervised& child,
                                 const SupervisionReport& report) {
  const RestartBackoff& backoff = *child.options.backoff;
  const bool is_exact = backoff.reset_after == absl::InfiniteDuration();
  const uint32_t most =
      static_cast<uint32_t>(supervisors_[number].intensity.restarts);
  ++child.failures;
  if (report.decision == Decision::kGiveUp) {
    // Those that were forgotten do not count.
    if (child.failures <= most) Break(kName, number, "it gives up too early");
    return;
  }
  if (is_exact && child.failures > most) {
    Break(kName, number, "that is one restart too many");
  }
  const absl::Duration least =
      is_exact ? std::min(backoff.initial *
                              std::pow(backoff.factor, child.failures - 1),
                          backoff.max)
               : std::min(backoff.initial, backoff.max);
  const absl::Duration longest = is_exact ? least : backoff.max;
  const absl::Duration rounding = absl::Nanoseconds(1);
  if (report.delay < least * (1 - backoff.jitter) - rounding ||
      report.delay > longest * (1 + backoff.jitter) + rounding) {
    Break(kBackoff, number,
          absl::StrCat("the delay after failure ", child.failures, " is ",
                       absl::FormatDuration(report.delay)));
  }
  if (child.by_hand == 0) {
    child.not_before_ns =
        journal_.now_ns() + absl::ToInt64Nanoseconds(report.delay);
  }
}

// -- at rest

void Restarts::CheckAtRest(
    uint32_t supervisor, const absl::StatusOr<std::vector<ChildInfo>>& children,
    const absl::StatusOr<ChildCounts>& counts,
    const absl::StatusOr<SupervisionTree>& tree) {
  if (!children.ok()) return;  // It has ended.
  uint64_t active = 0;
  for (const ChildInfo& child : *children) {
    const Number instance = lives_.NumberOf(child.instance.id());
    const auto found = by_id_.find(child.options.id);
    if (found == by_id_.end() ||
        children_[found->second].supervisor != supervisor) {
      return Break(kRun, supervisor, "it has a child that is not its own");
    }
    const Supervised& known = children_[found->second];
    switch (child.status) {
      case ChildStatus::kIdle:
        if (child.options.restart == kPermanent && !known.touched) {
          Break(kRun, supervisor, "a permanent child is not restarted");
        }
        break;
      case ChildStatus::kRunning:
        ++active;
        if (!lives_.is_alive(instance)) {
          Break(kRun, supervisor, "a child that runs is not alive");
        } else if (instance != known.instance) {
          Break(kRun, supervisor, "a child that runs is the last to start");
        }
        break;
      default:
        Break(kRun, supervisor,
              absl::StrCat("at rest a child is ", ToString(child.status)));
    }
  }
  if (!counts.ok() || counts->specs != children->size() ||
      counts->active != active ||
      counts->supervisors + counts->workers != counts->specs) {
    Break(kRun, supervisor, "it counts its children");
  }
  if (!tree.ok() || tree->children.size() != children->size()) {
    return Break(kRun, supervisor, "its tree has its children");
  }
  for (size_t i = 0; i < children->size(); ++i) {
    const ChildInfo& child = (*children)[i];
    const SupervisionTree& shown = tree->children[i];
    if (shown.id != child.options.id || shown.status != child.status ||
        shown.instance != child.instance.id() ||
        shown.restarts != child.restarts) {
      Break(kRun, supervisor, "its tree shows its children as they are");
    }
  }
}

Restarts::Supervised* Restarts::ChildOf(Number instance) {
  const auto found = by_instance_.find(instance);
  return found == by_instance_.end() ? nullptr : &children_[found->second];
}

void Restarts::Break(std::string_view invariant, uint32_t supervisor,
                     absl::string_view rule) {
  journal_.Break(invariant,
                 absl::StrCat("supervisor ", supervisor, ": ", rule));
}

}  // namespace troupe::swarm
