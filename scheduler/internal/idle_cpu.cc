#include "troupe/scheduler/internal/idle_cpu.h"

#include <sys/resource.h>

#include <ostream>

#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "troupe/scheduler/event.h"

namespace troupe::internal {

ProcessUse ProcessUse::Now() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return {absl::DurationFromTimeval(usage.ru_utime) +
              absl::DurationFromTimeval(usage.ru_stime),
          usage.ru_nvcsw + usage.ru_nivcsw};
}

IdleCpu MeasureIdleCpu(absl::Duration length) {
  const Event never;
  (void)never.WaitWithTimeout(absl::Milliseconds(200));
  const ProcessUse before = ProcessUse::Now();
  (void)never.WaitWithTimeout(length);
  const ProcessUse after = ProcessUse::Now();
  return {{after.cpu - before.cpu,
           after.context_switches - before.context_switches},
          length};
}

std::ostream& operator<<(std::ostream& os, const IdleCpu& idle) {
  return os << absl::StrFormat(
             "%.2f ms of processor time and %d context switches in %s (%.3f "
             "%%)",
             absl::ToDoubleMilliseconds(idle.used.cpu),
             idle.used.context_switches, absl::FormatDuration(idle.length),
             100 * absl::FDivDuration(idle.used.cpu, idle.length));
}

}  // namespace troupe::internal
