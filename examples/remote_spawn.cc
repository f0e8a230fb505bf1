// Actors that one node has started on another: one for its own use, and one as
// a child of a supervisor, which is restarted there when it fails. Here both
// nodes live in one process, and speak over a transport that has no wire.
#include <cstdint>
#include <iostream>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/notification.h"
#include "troupe/cluster/authorization.h"
#include "troupe/cluster/in_process_transport.h"
#include "troupe/cluster/membership.h"
#include "troupe/cluster/node.h"
#include "troupe/cluster/remote_child.h"
#include "troupe/cluster/spawn.h"
#include "troupe/cluster/static_membership.h"
#include "troupe/supervision/supervision_report.h"
#include "troupe/troupe.h"

struct Add {
  static constexpr absl::string_view kWireName = "meter.Add";
  using Reply = int64_t;  // The sum.
  int64_t amount = 0;
};
struct MeterApi : troupe::Protocol<Add> {};

// Fails at a negative amount.
class Meter : public troupe::Actor<MeterApi> {
 public:
  explicit Meter(int64_t begin) : sum_(begin) {}
  absl::StatusOr<int64_t> Handle(Add m) {
    if (m.amount >= 0) return sum_ += m.amount;
    const absl::Status wrong = absl::OutOfRangeError("a meter counts up");
    Fail(wrong);
    return wrong;
  }

 private:
  int64_t sum_;
};

// A node of the two. Nothing is started for another one unless a rule says so.
absl::StatusOr<std::unique_ptr<troupe::Node>> Join(
    troupe::ActorSystem& system, const std::string& name,
    const troupe::InProcessNetwork& network) {
  auto members = troupe::StaticMembership::Create(
      system.executor(),
      {{.name = "a", .address = "a"}, {.name = "b", .address = "b"}});
  if (!members.ok()) return members.status();
  troupe::Authorization rules;
  rules.Assign("a", "boss").Allow("boss", {troupe::Verb::kSpawn}, "meter");
  return troupe::Node::Start(
      system, {.name = name,
               .listen = name,
               .transport = std::make_unique<troupe::InProcessTransport>(
                   network, system.executor()),
               .membership = *std::move(members),
               .authorization = std::move(rules)});
}

absl::Status Run(troupe::ActorSystem& here, troupe::Node& a) {
  // For its own use: it lives until it is ended.
  auto meter = troupe::SpawnOnAndWait<MeterApi>(a, "meter@b", {}, 100);
  if (!meter.ok()) return meter.status();
  std::cout << "sum: " << meter->Call<Add>(5).Wait().value_or(-1) << "\n";

  // Not exported, so not to be had.
  auto other = troupe::SpawnOnAndWait<MeterApi>(a, "clock@b", {});
  std::cout << other.status().message().substr(0, 60) << "...\n";

  // As a child: its supervisor is here.
  troupe::Supervisor::Spec spec;
  const auto child = spec.Add(
      {.id = "meter"},
      troupe::ChildOn<MeterApi>(a, {.where = "b", .factory = "meter"}, 0));
  auto supervisor = troupe::Supervisor::Start(here, std::move(spec));
  if (!supervisor.ok()) return supervisor.status();
  std::cout << "sum: " << child.Call<Add>(7).Wait().value_or(-1) << "\n";
  absl::Notification restarted;
  const troupe::Subscription reports =
      here.Subscribe<troupe::SupervisionReport>([&](const auto& report) {
        std::cout << "the meter " << report.reason << "\n";
        restarted.Notify();
      });
  (void)child.Call<Add>(-1).Wait();
  restarted.WaitForNotification();
  // A new one, at the same address.
  std::cout << "sum: " << child.Call<Add>(1).Wait().value_or(-1) << "\n";
  return supervisor->StopAndWait().status();
}

int main() {
  const troupe::InProcessNetwork network;
  auto here = troupe::CreateSystem();
  auto there = troupe::CreateSystem();
  if (!here.ok() || !there.ok()) return 1;

  absl::Notification connected;
  const troupe::Subscription subscription = (*here)->Subscribe<troupe::NodeUp>(
      [&connected](const auto&) { connected.Notify(); });

  auto b = Join(**there, "b", network);
  if (!b.ok()) return 1;
  if (!troupe::ExportFactory<Meter(int64_t)>(**b, "meter").ok()) return 1;

  auto a = Join(**here, "a", network);
  if (!a.ok()) return 1;
  connected.WaitForNotification();
  const absl::Status status = Run(**here, **a);
  if (!status.ok()) {
    std::cerr << status << "\n";
    return 1;
  }
}
