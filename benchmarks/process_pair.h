// Two nodes in two processes of this machine, that speak over gRPC: this one,
// and a peer that it starts, which is the same program.
//
//   int main(int argc, char** argv) {
//     if (IsPeer(argc, argv)) return RunPeer(argv, {.give = &ExportActors});
//     ProcessPair pair(Wire::kTcp);
//     ActorRef<Square> far = pair.FromHere<Square>("server");
//
// Ownership: of node and system here; the peer ends with the pair, and with
// this process.
// Blocking: all but references.
// Thread safety: belongs to a plain thread.
#ifndef TROUPE_BENCHMARKS_PROCESS_PAIR_H_
#define TROUPE_BENCHMARKS_PROCESS_PAIR_H_

#include <sys/types.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "troupe/actor/actor_ref.h"
#include "troupe/actor/actor_system.h"
#include "troupe/cluster/grpc/internal/grpc_testing.h"
#include "troupe/cluster/grpc/tls.h"
#include "troupe/cluster/node.h"
#include "troupe/cluster/static_membership.h"
#include "troupe/cluster/transport.h"

namespace troupe::benchmarks {

enum class Wire { kTcp, kUnixSocket, kTls };
std::string ToString(Wire wire);

// A node of either process, and its system, which has one worker.
class ProcessSide {
 public:
  struct Options {
    std::string name;
    std::string listen;
    std::optional<TlsFiles> tls;
    absl::Duration heartbeat;
    // Puts itself between the node and gRPC, if it is set.
    std::function<std::unique_ptr<Transport>(std::unique_ptr<Transport>)> wrap;
  };

  // Nobody else is a member yet.
  explicit ProcessSide(const Options& options);

  // Dials that node.
  void Join(const std::string& name, const std::string& address);

  ActorSystem& system() { return *system_; }
  Node& node() { return *node_; }

 private:
  const Options options_;
  std::unique_ptr<ActorSystem> system_;
  std::unique_ptr<Node> node_;
  StaticMembership* membership_ = nullptr;  // The node's.
};

class ProcessPair {
 public:
  // They have joined when it returns.
  explicit ProcessPair(Wire wire, absl::Duration heartbeat = absl::Seconds(2));
  ProcessPair(const ProcessPair&) = delete;
  ProcessPair& operator=(const ProcessPair&) = delete;
  ~ProcessPair();

  ActorSystem& here() { return side_->system(); }

  // What the peer exports.
  template <typename... Ps>
  ActorRef<Ps...> FromHere(const std::string& name) {
    return CheckedValue(side_->node().ResolveAndWait<Ps...>(name + "@there"));
  }

 private:
  template <typename T>
  static T CheckedValue(const absl::StatusOr<T>& value) {
    Check(value.status());
    return *value;
  }
  // Ends the program unless it is OK.
  static void Check(const absl::Status& status);
  void StartPeer(const ProcessSide::Options& options, const std::string& join);

  const testing::ShortFolder folder_;
  testing::TlsFolder tls_;
  std::unique_ptr<ProcessSide> side_;
  int life_ = -1;  // The peer ends when this is closed.
  pid_t peer_ = -1;
};

// Whether this process was started as a peer.
bool IsPeer(int argc, char** argv);
struct PeerRole {
  // See ProcessSide::Options.
  std::function<std::unique_ptr<Transport>(std::unique_ptr<Transport>)> wrap;
  // Exports what there is to use.
  std::function<void(ProcessSide&)> give;
};
// Lives as one, and returns what main() does.
int RunPeer(char** argv, const PeerRole& role);

}  // namespace troupe::benchmarks

#endif  // TROUPE_BENCHMARKS_PROCESS_PAIR_H_
