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
#include <string>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "troupe/cluster/node.h"
#include "troupe/cluster/node_events.h"
#include "troupe/examples/cluster_node/cluster_node.h"
#include "troupe/troupe.h"

namespace {

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
  void Handle(const Say& m) {
    troupe::PrintLine(absl::StrCat("<", m.from, "> ", m.text));
  }
};

absl::Status Chat(const std::string& name) {
  auto system = troupe::CreateSystem();
  if (!system.ok()) return system.status();
  const auto up = (*system)->Subscribe<troupe::NodeUp>([](const auto& event) {
    troupe::PrintLine(absl::StrCat("* ", event.node.name, " is here"));
  });
  const auto down =
      (*system)->Subscribe<troupe::NodeDown>([](const auto& event) {
        troupe::PrintLine(absl::StrCat("* ", event.node.name, " has gone"));
      });
  auto node = troupe::StartNodeByFlags(**system, {.cluster = "chat"});
  if (!node.ok()) return node.status();
  // The lobby has the guests of all nodes that share it.
  absl::Status status = (*node)->Share(Lobby());
  if (status.ok()) status = (*system)->Spawn<Guest>().status();
  if (!status.ok()) return status;
  troupe::PrintLine(absl::StrCat("* ", name, " at ", (*node)->address()));
  auto& groups = (*system)->Get<troupe::Groups>();
  for (std::string line; std::getline(std::cin, line);) {
    groups.Send<Say>(Lobby(), name, line);
  }
  return absl::OkStatus();
}

}  // namespace

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage("A chat of several processes: --name=ann");
  absl::SetFlag(&FLAGS_members, {"ann=127.0.0.1:7101", "bob=127.0.0.1:7102",
                                 "cat=127.0.0.1:7103"});
  absl::ParseCommandLine(argc, argv);
  const absl::Status status = Chat(absl::GetFlag(FLAGS_name));
  if (status.ok()) return 0;
  std::cerr << status << std::endl;
  return 1;
}
