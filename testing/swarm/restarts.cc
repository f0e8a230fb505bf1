#include "troupe/testing/swarm/restarts.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "troupe/supervision/child_options.h"
#include "troupe/supervision/child_status.h"

namespace troupe::swarm {

size_t Restarts::Supervisor(const Intensity& intensity) {
  supervisors_.push_back({intensity, {}});
  return supervisors_.size() - 1;
}

void Restarts::Reported(const SupervisionReport& report) {
  size_t number = 0;
  if (!absl::SimpleAtoi(report.supervisor, &number)) return;
  Known& supervisor = supervisors_[number];
  journal_.Note(What::kRestarts, lives_.NumberOf(report.instance),
                static_cast<uint32_t>(number),
                static_cast<uint64_t>(report.decision));
  switch (report.decision) {
    case SupervisionReport::Decision::kRestart:
    case SupervisionReport::Decision::kRestartAll:
    case SupervisionReport::Decision::kRestartRest:
      break;
    default:
      return;
  }
  const int64_t now_ns = journal_.now_ns();
  std::deque<int64_t>& restarts_ns = supervisor.restarts_ns;
  const int64_t oldest_ns =
      now_ns - absl::ToInt64Nanoseconds(supervisor.intensity.within);
  while (!restarts_ns.empty() && restarts_ns.front() < oldest_ns) {
    restarts_ns.pop_front();
  }
  restarts_ns.push_back(now_ns);
  if (restarts_ns.size() > static_cast<size_t>(supervisor.intensity.restarts)) {
    Break(kName, number, "that is one restart too many");
  }
}

void Restarts::CheckAtRest(
    size_t supervisor, const absl::StatusOr<std::vector<ChildInfo>>& children) {
  if (!children.ok()) return;  // It has ended.
  for (const ChildInfo& child : *children) {
    const Number instance = lives_.NumberOf(child.instance.id());
    switch (child.status) {
      case ChildStatus::kIdle:
        if (child.options.restart == kPermanent) {
          Break(kRun, supervisor, "a permanent child is not restarted");
        }
        break;
      case ChildStatus::kRunning:
        if (instance != 0 && !lives_.is_alive(instance)) {
          Break(kRun, supervisor, "a child that runs is not alive");
        }
        break;
      default:
        Break(kRun, supervisor,
              absl::StrCat("at rest a child is ", ToString(child.status)));
    }
  }
}

void Restarts::Break(std::string_view invariant, size_t supervisor,
                     absl::string_view rule) {
  journal_.Break(invariant,
                 absl::StrCat("supervisor ", supervisor, ": ", rule));
}

}  // namespace troupe::swarm
