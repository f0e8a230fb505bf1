// The actor that dials the members of the cluster with which there is no
// session, again and again, at random times that get further apart.
#ifndef TROUPE_CLUSTER_INTERNAL_DIALLER_H_
#define TROUPE_CLUSTER_INTERNAL_DIALLER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/time/time.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/down.h"
#include "troupe/actor/timer.h"
#include "troupe/base/random.h"
#include "troupe/cluster/internal/session.h"
#include "troupe/cluster/membership.h"
#include "troupe/cluster/transport.h"

namespace troupe::internal {

struct MembersCame {
  std::shared_ptr<const Membership> membership;
};
struct PeerIsDown {
  std::string name;
};
struct DialDue {
  std::string name;
};

// 0 < first_pause <= longest_pause.
struct DialOptions {
  absl::Duration first_pause = absl::Milliseconds(50);
  absl::Duration longest_pause = absl::Seconds(5);
};

class Dialler final : public Actor<MembersCame, PeerIsDown, DialDue> {
 public:
  Dialler(Session::Shared& shared, Transport& transport, DialOptions options,
          uint64_t seed)
      : shared_(shared),
        transport_(transport),
        options_(options),
        random_(seed) {}

  void Handle(const MembersCame& m);
  void Handle(const PeerIsDown& m);
  void Handle(const DialDue& m);
  // A session that was dialled is over.
  void OnDown(const Down& down);

 private:
  struct Peer {
    std::string address;
    absl::Duration pause;  // The next one, about.
    Timer due;             // Pending: it will be dialled.
  };

  void Plan(const std::string& name);

  Session::Shared& shared_;
  Transport& transport_;
  const DialOptions options_;
  Random random_;
  std::map<std::string, Peer, std::less<>> peers_;
  // Those to which a session that was dialled is not over, members or not: no
  // other one begins before.
  std::map<std::string, MonitorHandle, std::less<>> dialled_;
};

}  // namespace troupe::internal

#endif  // TROUPE_CLUSTER_INTERNAL_DIALLER_H_
