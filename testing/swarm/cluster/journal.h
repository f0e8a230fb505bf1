// What happened in one run of the swarm of nodes: a hash of all of it, the last
// of it for people, and the first invariant that was found broken.
//
// Numbers stand for actors, nodes, calls and so on, because ids differ from run
// to run.
//
// Thread safety: none; a run is one thread's.
#ifndef TROUPE_TESTING_SWARM_CLUSTER_JOURNAL_H_
#define TROUPE_TESTING_SWARM_CLUSTER_JOURNAL_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace troupe::cluster_swarm {

// An actor. 0: nobody.
using Number = uint32_t;
// A node, from a start to its end. 0: none.
using NodeRun = uint32_t;

class Journal {
 public:
  // Virtual time comes from `now`.
  explicit Journal(std::function<absl::Duration()> now)
      : now_(std::move(now)) {}
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  absl::Duration now() const { return now_(); }

  // `what` is a constant, in the words "#who <what> #whom (detail)".
  void Note(const char* what, uint32_t who, uint32_t whom = 0,
            uint64_t detail = 0) {
    ++events_;
    last_[events_ % kTold] = {now(), what, who, whom, detail};
    Mix(detail ^ (uint64_t{who} << 40) ^ (uint64_t{whom} << 16));
    Mix(static_cast<unsigned char>(what[0]));
  }

  // An invariant does not hold. The first one stays.
  void Break(std::string_view invariant, absl::string_view how);

  bool broken() const { return !invariant_.empty(); }
  // Its name; empty: all hold.
  const std::string& invariant() const { return invariant_; }
  // That, how it was broken, and what had happened; several lines.
  const std::string& report() const { return report_; }

  uint64_t hash() const { return hash_; }
  uint64_t events() const { return events_; }

 private:
  struct Entry {
    absl::Duration at;
    const char* what;
    uint32_t who;
    uint32_t whom;
    uint64_t detail;
  };
  static constexpr size_t kTold = 200;

  void Mix(uint64_t word) {
    hash_ = (hash_ ^ word) * 0x9e3779b97f4a7c15;
    hash_ ^= hash_ >> 29;
  }

  const std::function<absl::Duration()> now_;
  std::array<Entry, kTold> last_ = {};
  uint64_t events_ = 0;
  uint64_t hash_ = 0;
  std::string invariant_;
  std::string report_;
};

}  // namespace troupe::cluster_swarm

#endif  // TROUPE_TESTING_SWARM_CLUSTER_JOURNAL_H_
