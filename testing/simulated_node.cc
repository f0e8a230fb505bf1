#include "troupe/testing/simulated_node.h"

#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "troupe/base/check.h"
#include "troupe/cluster/membership.h"
#include "troupe/cluster/static_membership.h"

namespace troupe::testing {
namespace {

std::string AddressOf(const std::string& host) {
  return absl::StrCat(host, ":node");
}

}  // namespace

Node& StartNode(SimulatedHost& host, const std::vector<std::string>& members,
                NodeOptions options) {
  std::vector<Member> list;
  list.reserve(members.size());
  for (const std::string& member : members) {
    list.push_back({.name = member, .address = AddressOf(member)});
  }
  absl::StatusOr<std::unique_ptr<StaticMembership>> membership =
      StaticMembership::Create(host.system().executor(), std::move(list));
  TROUPE_CHECK(membership.ok(), membership.status().message());
  options.name = host.name();
  options.listen = AddressOf(host.name());
  options.transport = host.TakeTransport();
  options.membership = *std::move(membership);
  options.incarnation = host.incarnation();
  absl::StatusOr<std::unique_ptr<Node>> node =
      Node::Start(host.system(), std::move(options));
  TROUPE_CHECK(node.ok(), node.status().message());
  return host.Hold(*std::move(node));
}

}  // namespace troupe::testing
