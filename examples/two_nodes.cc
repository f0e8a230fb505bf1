// Two nodes, and an actor of one that is used on the other: found by name,
// sent to, called, given a reference, watched. Here both live in one process,
// and speak over a transport that has no wire.
#include <cstdint>
#include <functional>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/notification.h"
#include "troupe/cluster/in_process_transport.h"
#include "troupe/cluster/membership.h"
#include "troupe/cluster/node.h"
#include "troupe/cluster/static_membership.h"
#include "troupe/troupe.h"

// What crosses has a name on the wire. Its fields need nothing more.
struct Reached {
  static constexpr absl::string_view kWireName = "tally.Reached";
  int64_t count = 0;
};
struct Watch {
  static constexpr absl::string_view kWireName = "tally.Watch";
  int64_t count = 0;
  troupe::ActorRef<Reached> watcher;  // On whatever node.
};
struct Add {
  static constexpr absl::string_view kWireName = "tally.Add";
  int64_t count = 0;
};
struct Total {
  static constexpr absl::string_view kWireName = "tally.Total";
  using Reply = int64_t;
};
struct TallyApi : troupe::Protocol<Watch, Add, Total> {};

class Tally : public troupe::Actor<TallyApi> {
 public:
  void Handle(Watch m) { watch_ = m; }
  void Handle(Add m) {
    total_ += m.count;
    if (total_ >= watch_.count) watch_.watcher.Send<Reached>(total_);
  }
  int64_t Handle(Total) { return total_; }

 private:
  int64_t total_ = 0;
  Watch watch_;
};

// Uses the tally of another node.
struct Begin {
  using Reply = absl::Status;
};
class Clerk : public troupe::Actor<Begin, Reached> {
 public:
  Clerk(troupe::Node& node, absl::Notification& done)
      : node_(node), done_(done) {}

  troupe::Task<absl::Status> Handle(Begin) {
    auto tally = co_await node_.Resolve<TallyApi>("tally@b");
    if (!tally.ok()) co_return tally.status();
    tally_ = *tally;
    Monitor(tally_);
    // From here on it is a reference like any other.
    tally_.Send<Watch>(5, self());
    tally_.Send<Add>(2);
    tally_.Send<Add>(3);
    const absl::StatusOr<int64_t> total = co_await tally_.Call<Total>();
    std::cout << "total: " << total.value_or(-1) << "\n";
    co_return total.status();
  }
  void Handle(Reached m) {
    std::cout << "reached " << m.count << "\n";
    tally_.Stop();
  }
  void OnDown(const troupe::Down& down) {
    std::cout << "the tally has ended: " << down.reason << "\n";
    done_.Notify();
  }

 private:
  troupe::Node& node_;
  absl::Notification& done_;
  troupe::ActorRef<TallyApi> tally_;
};

// A node of the two.
absl::StatusOr<std::unique_ptr<troupe::Node>> Join(
    troupe::ActorSystem& system, const std::string& name,
    const troupe::InProcessNetwork& network) {
  auto members = troupe::StaticMembership::Create(
      system.executor(),
      {{.name = "a", .address = "a"}, {.name = "b", .address = "b"}});
  if (!members.ok()) return members.status();
  return troupe::Node::Start(
      system, {.name = name,
               .listen = name,
               .transport = std::make_unique<troupe::InProcessTransport>(
                   network, system.executor()),
               .membership = *std::move(members)});
}

int main() {
  const troupe::InProcessNetwork network;
  absl::Notification done;
  auto here = troupe::CreateSystem();
  auto there = troupe::CreateSystem();
  if (!here.ok() || !there.ok()) return 1;

  absl::Notification connected;
  const troupe::Subscription subscription =
      (*here)->Subscribe<troupe::NodeUp>([&connected](const auto& event) {
        std::cout << event.node.name << " is up\n";
        connected.Notify();
      });

  auto b = Join(**there, "b", network);
  if (!b.ok()) return 1;
  auto tally = (*there)->Spawn<Tally>();
  if (!tally.ok() || !(*b)->Export("tally", *tally).ok()) return 1;

  auto a = Join(**here, "a", network);
  if (!a.ok()) return 1;
  connected.WaitForNotification();
  auto clerk = (*here)->Spawn<Clerk>(std::ref(**a), std::ref(done));
  if (!clerk.ok()) return 1;
  const absl::Status begun = clerk->Call<Begin>().Wait();
  if (!begun.ok()) {
    std::cerr << begun << "\n";
    return 1;
  }
  done.WaitForNotification();
}
