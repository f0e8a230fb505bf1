#include "troupe/benchmarks/process_pair.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "troupe/actor/events.h"
#include "troupe/base/check.h"
#include "troupe/cluster/grpc/grpc_transport.h"
#include "troupe/cluster/membership.h"
#include "troupe/cluster/node_events.h"
#include "troupe/cluster/static_membership.h"

namespace troupe::benchmarks {
namespace {

// What a peer is started with, in this order; those of TLS may be empty.
enum PeerArgument {
  kMark = 1,
  kListen,
  kJoin,
  kHeartbeat,
  kAuthorities,
  kCertificate,
  kKey,
  kPeerArguments
};
constexpr char kPeerMark[] = "--peer";

}  // namespace

std::string ToString(Wire wire) {
  switch (wire) {
    case Wire::kTcp:
      return "TCP";
    case Wire::kUnixSocket:
      return "Unix socket";
    case Wire::kTls:
      return "TLS";
  }
  return "";
}

ProcessSide::ProcessSide(const Options& options)
    : options_(options),
      system_(ActorSystem::Create(
                  {.workers = 1,
                   .high_water_messages = std::numeric_limits<uint32_t>::max()})
                  .value()) {
  // What is measured ends no session, however busy the machine is.
  constexpr absl::Duration kSilence = absl::Minutes(10);
  std::unique_ptr<Transport> transport =
      GrpcTransport::Create({.taken_within = 2 * kSilence, .tls = options.tls})
          .value();
  if (options.wrap != nullptr) transport = options.wrap(std::move(transport));
  auto membership = StaticMembership::Create(
                        system_->executor(),
                        {{.name = options.name, .address = options.listen}})
                        .value();
  membership_ = membership.get();
  node_ = Node::Start(*system_, {.name = options.name,
                                 .listen = options.listen,
                                 .transport = std::move(transport),
                                 .membership = std::move(membership),
                                 .heartbeat = options.heartbeat,
                                 .silence = kSilence})
              .value();
}

void ProcessSide::Join(const std::string& name, const std::string& address) {
  const absl::Status status = membership_->SetMembers(
      {{.name = options_.name, .address = node_->address()},
       {.name = name, .address = address}});
  TROUPE_CHECK(status.ok(), status.ToString().c_str());
}

ProcessPair::ProcessPair(Wire wire, absl::Duration heartbeat) {
  const bool is_unix = wire == Wire::kUnixSocket;
  const auto options_of = [&](const std::string& name) {
    ProcessSide::Options options;
    options.name = name;
    options.listen = is_unix ? absl::StrCat("unix:", folder_.path(), "/", name)
                             : "127.0.0.1:0";
    options.heartbeat = heartbeat;
    if (wire == Wire::kTls) options.tls = tls_.Issue({.names = {name}});
    return options;
  };
  side_ = std::make_unique<ProcessSide>(options_of("here"));
  absl::Notification up;
  const Subscription subscription =
      here().Subscribe<NodeUp>([&up](const NodeUp&) { up.Notify(); });
  StartPeer(options_of("there"), side_->node().address());
  up.WaitForNotification();
}

void ProcessPair::StartPeer(const ProcessSide::Options& options,
                            const std::string& join) {
  const TlsFiles tls = options.tls.value_or(TlsFiles());
  std::vector<std::string> arguments = {"peer",
                                        kPeerMark,
                                        options.listen,
                                        join,
                                        absl::FormatDuration(options.heartbeat),
                                        tls.authorities,
                                        tls.certificate,
                                        tls.key};
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  int ends[2];
  TROUPE_CHECK(::pipe2(ends, O_CLOEXEC) == 0, "a pipe can be made");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[0], STDIN_FILENO);
  const int error = ::posix_spawn(&peer_, "/proc/self/exe", &actions, nullptr,
                                  argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  TROUPE_CHECK(error == 0, "a process can be started");
  ::close(ends[0]);
  life_ = ends[1];
}

ProcessPair::~ProcessPair() {
  ::close(life_);
  int status = 0;
  while (::waitpid(peer_, &status, 0) < 0 && errno == EINTR) {
  }
  TROUPE_CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0,
               "the peer has ended well");
}

void ProcessPair::Check(const absl::Status& status) {
  TROUPE_CHECK(status.ok(), status.ToString().c_str());
}

bool IsPeer(int argc, char** argv) {
  return argc == kPeerArguments && std::string(argv[kMark]) == kPeerMark;
}

int RunPeer(char** argv, const PeerRole& role) {
  ProcessSide::Options options;
  options.name = "there";
  options.listen = argv[kListen];
  TROUPE_CHECK(absl::ParseDuration(argv[kHeartbeat], &options.heartbeat),
               "a peer is told its heartbeat");
  if (*argv[kKey] != '\0') {
    options.tls = TlsFiles{.authorities = argv[kAuthorities],
                           .certificate = argv[kCertificate],
                           .key = argv[kKey]};
  }
  options.wrap = role.wrap;
  ProcessSide side(options);
  role.give(side);
  side.Join("here", argv[kJoin]);
  // Until the other process closes its end, or is gone.
  char none = 0;
  while (::read(STDIN_FILENO, &none, 1) < 0 && errno == EINTR) {
  }
  return 0;
}

}  // namespace troupe::benchmarks
