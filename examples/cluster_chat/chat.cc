// A chat of several processes, each a node of one cluster. In three terminals:
//
//   bazel run //examples/cluster_chat:chat -- --name=ann
//   bazel run //examples/cluster_chat:chat -- --name=bob
//   bazel run //examples/cluster_chat:chat -- --name=cat
//
// Whatever is typed, the guests of all nodes read. Who leaves (end of input,
// Ctrl-C, SIGKILL) is missed by the others at once. Between machines, with
// certificates of //tools/certificates: --members=ann=10.0.0.1:4000,... and
// --tls=FOLDER.
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "troupe/cluster/grpc/grpc_transport.h"
#include "troupe/cluster/grpc/tls.h"
#include "troupe/cluster/membership.h"
#include "troupe/cluster/node.h"
#include "troupe/cluster/node_events.h"
#include "troupe/cluster/static_membership.h"
#include "troupe/troupe.h"

ABSL_FLAG(std::string, name, "", "Who this is: one of the members.");
ABSL_FLAG(std::vector<std::string>, members,
          std::vector<std::string>({"ann=127.0.0.1:7101", "bob=127.0.0.1:7102",
                                    "cat=127.0.0.1:7103"}),
          "All members, each as name=address.");
ABSL_FLAG(std::string, tls, "",
          "A folder with authorities.pem, and NAME.pem and NAME.key.");

namespace {

// Whole lines, by whichever thread.
void Print(absl::string_view line) {
  static absl::Mutex* const mu = new absl::Mutex;
  absl::MutexLock lock(mu);
  std::cout << line << std::endl;
}

struct Say {
  static constexpr absl::string_view kWireName = "chat.Say";
  std::string from;
  std::string text;
};
const troupe::Group<Say>& Lobby() {
  static const auto* const lobby = new troupe::Group<Say>("lobby");
  return *lobby;
}

class Guest : public troupe::Actor<Say> {
 public:
  absl::Status PreStart() {
    return system().Get<troupe::Groups>().Join(Lobby(), self());
  }
  void Handle(const Say& m) { Print(absl::StrCat("<", m.from, "> ", m.text)); }
};

absl::StatusOr<std::vector<troupe::Member>> ParseMembers(
    const std::vector<std::string>& texts) {
  std::vector<troupe::Member> members;
  for (const std::string& text : texts) {
    const std::pair<std::string, std::string> parts =
        absl::StrSplit(text, absl::MaxSplits('=', 1));
    if (parts.first.empty() || parts.second.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", text, "' is no name=address"));
    }
    members.push_back({.name = parts.first, .address = parts.second});
  }
  return members;
}

absl::StatusOr<std::unique_ptr<troupe::Node>> Join(
    troupe::ActorSystem& system, const std::string& name,
    const std::vector<troupe::Member>& members,
    const std::optional<troupe::TlsFiles>& tls) {
  std::string address;
  for (const troupe::Member& member : members) {
    if (member.name == name) address = member.address;
  }
  if (address.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--name=", name, " is none of the --members"));
  }
  auto transport = troupe::GrpcTransport::Create({.tls = tls});
  if (!transport.ok()) return transport.status();
  auto membership =
      troupe::StaticMembership::Create(system.executor(), members);
  if (!membership.ok()) return membership.status();
  return troupe::Node::Start(system, {.name = name,
                                      .cluster = "chat",
                                      .listen = address,
                                      .transport = *std::move(transport),
                                      .membership = *std::move(membership)});
}

absl::Status Chat(const std::string& name,
                  const std::vector<troupe::Member>& members,
                  const std::optional<troupe::TlsFiles>& tls) {
  auto system = troupe::CreateSystem();
  if (!system.ok()) return system.status();
  const auto up = (*system)->Subscribe<troupe::NodeUp>([](const auto& event) {
    Print(absl::StrCat("* ", event.node.name, " is here"));
  });
  const auto down =
      (*system)->Subscribe<troupe::NodeDown>([](const auto& event) {
        Print(absl::StrCat("* ", event.node.name, " has gone"));
      });
  auto node = Join(**system, name, members, tls);
  if (!node.ok()) return node.status();
  // The lobby has the guests of all nodes that share it.
  absl::Status status = (*node)->Share(Lobby());
  if (status.ok()) status = (*system)->Spawn<Guest>().status();
  if (!status.ok()) return status;
  Print(absl::StrCat("* ", name, " at ", (*node)->address()));
  auto& groups = (*system)->Get<troupe::Groups>();
  for (std::string line; std::getline(std::cin, line);) {
    groups.Send<Say>(Lobby(), name, line);
  }
  return absl::OkStatus();
}

}  // namespace

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage("A chat of several processes: --name=ann");
  absl::ParseCommandLine(argc, argv);
  const std::string name = absl::GetFlag(FLAGS_name);
  const std::string folder = absl::GetFlag(FLAGS_tls);
  std::optional<troupe::TlsFiles> tls;
  if (!folder.empty()) {
    tls =
        troupe::TlsFiles{.authorities = folder + "/authorities.pem",
                         .certificate = absl::StrCat(folder, "/", name, ".pem"),
                         .key = absl::StrCat(folder, "/", name, ".key")};
  }
  const auto members = ParseMembers(absl::GetFlag(FLAGS_members));
  const absl::Status status =
      members.ok() ? Chat(name, *members, tls) : members.status();
  if (status.ok()) return 0;
  std::cerr << status << std::endl;
  return 1;
}
