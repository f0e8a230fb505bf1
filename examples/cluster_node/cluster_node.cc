#include "troupe/examples/cluster_node/cluster_node.h"

#include <iostream>
#include <optional>
#include <utility>

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/synchronization/mutex.h"
#include "troupe/cluster/grpc/grpc_transport.h"
#include "troupe/cluster/grpc/tls.h"
#include "troupe/cluster/membership.h"
#include "troupe/cluster/security/cookie.h"
#include "troupe/cluster/static_membership.h"

ABSL_FLAG(std::string, name, "", "Who this is: one of the members.");
ABSL_FLAG(std::vector<std::string>, members, {},
          "All members, each as name=address.");
ABSL_FLAG(std::string, tls, "",
          "A folder with authorities.pem, and NAME.pem and NAME.key.");
ABSL_FLAG(std::string, cookie, "",
          "A file with the secret of the cluster; empty: there is none.");

namespace troupe {
namespace {

absl::StatusOr<std::vector<Member>> ParseMembers(
    const std::vector<std::string>& texts) {
  std::vector<Member> members;
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

absl::StatusOr<std::unique_ptr<Node>> Start(
    ActorSystem& system, NodeOptions options,
    const std::vector<Member>& members, const std::optional<TlsFiles>& tls) {
  auto transport = GrpcTransport::Create({.tls = tls});
  if (!transport.ok()) return transport.status();
  auto membership = StaticMembership::Create(system.executor(), members);
  if (!membership.ok()) return membership.status();
  options.transport = *std::move(transport);
  options.membership = *std::move(membership);
  return Node::Start(system, std::move(options));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Node>> StartNodeByFlags(ActorSystem& system,
                                                       NodeOptions options) {
  options.name = absl::GetFlag(FLAGS_name);
  const auto members = ParseMembers(absl::GetFlag(FLAGS_members));
  if (!members.ok()) return members.status();
  for (const Member& member : *members) {
    if (member.name == options.name) options.listen = member.address;
  }
  if (options.listen.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--name=", options.name, " is none of the --members"));
  }
  if (const std::string file = absl::GetFlag(FLAGS_cookie); !file.empty()) {
    absl::StatusOr<std::shared_ptr<Cookie>> cookie = Cookie::FromFile(file);
    if (!cookie.ok()) return cookie.status();
    options.cookie = *std::move(cookie);
  }
  std::optional<TlsFiles> tls;
  if (const std::string folder = absl::GetFlag(FLAGS_tls); !folder.empty()) {
    const std::string mine = absl::StrCat(folder, "/", options.name);
    tls = TlsFiles{.authorities = folder + "/authorities.pem",
                   .certificate = mine + ".pem",
                   .key = mine + ".key"};
  }
  return Start(system, std::move(options), *members, tls);
}

void PrintLine(absl::string_view line) {
  static absl::Mutex* const mu = new absl::Mutex;
  absl::MutexLock lock(mu);
  std::cout << line << std::endl;
}

}  // namespace troupe
