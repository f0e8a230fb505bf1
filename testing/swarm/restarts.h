// Invariant "restarts keep to the intensity" (§29): not more within any time
// than the supervisor may make, and at rest whoever is to run does, once.
#ifndef TROUPE_TESTING_SWARM_RESTARTS_H_
#define TROUPE_TESTING_SWARM_RESTARTS_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "troupe/supervision/supervision_report.h"
#include "troupe/supervision/supervisor_api.h"
#include "troupe/testing/swarm/journal.h"
#include "troupe/testing/swarm/lives.h"

namespace troupe::swarm {

class Restarts {
 public:
  static constexpr std::string_view kName = "restarts keep to the intensity";
  static constexpr std::string_view kRun = "supervised children run";

  Restarts(Journal& journal, const Lives& lives)
      : journal_(journal), lives_(lives) {}

  // The next supervisor, whose name is its number in decimal.
  size_t Supervisor(const Intensity& intensity);
  void Reported(const SupervisionReport& report);
  // At rest: `children` is what it answers.
  void CheckAtRest(size_t supervisor,
                   const absl::StatusOr<std::vector<ChildInfo>>& children);

 private:
  struct Known {
    Intensity intensity;
    std::deque<int64_t> restarts_ns;  // The latest.
  };

  void Break(std::string_view invariant, size_t supervisor,
             absl::string_view rule);

  Journal& journal_;
  const Lives& lives_;
  std::vector<Known> supervisors_;
};

}  // namespace troupe::swarm

#endif  // TROUPE_TESTING_SWARM_RESTARTS_H_
