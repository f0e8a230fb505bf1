#include "troupe/actor/internal/watch_world.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor_status.h"
#include "troupe/actor/internal/extras.h"
#include "troupe/actor/internal/handler_state.h"
#include "troupe/actor/internal/send.h"
#include "troupe/actor/internal/watch_table.h"
#include "troupe/actor/sleep.h"
#include "troupe/mailbox/capacity.h"
#include "troupe/scheduler/worker.h"

namespace troupe::internal {

// -- Peer

Peer::~Peer() { world_.dropped += static_cast<int64_t>(monitors_.size()); }

void Peer::PreStart() {
  if (random_.Uniform(2) == 0) {
    Link(world_.SomePeer(random_));
    ++world_.linked;
  }
}

Task<void> Peer::Handle(Stir) {
  const PeerRef other = world_.SomePeer(random_);
  switch (random_.Uniform(12)) {
    case 0:
    case 1:
    case 2:
      if (other != self()) {
        monitors_.push_back({Monitor(other), other});
        ++world_.begun;
      }
      break;
    case 3:
      EndSomeMonitor();
      break;
    case 4:
    case 5:
      Link(other);
      ++world_.linked;
      break;
    case 6:
      (void)Unlink(other);
      break;
    case 7:  // One that both take back and make anew, perhaps.
      (void)Unlink(other);
      Link(other);
      break;
    case 8:
      other.Send<Hello>(self().id().value());
      break;
    case 9:
      // What it is told meanwhile waits.
      (void)co_await Sleep(
          absl::Microseconds(static_cast<int64_t>(random_.Uniform(200))));
      break;
    case 10:
      other.Send<Stir>();
      break;
    case 11:
      if (random_.Uniform(3) == 0) End();
      break;
  }
}

void Peer::EndSomeMonitor() {
  if (monitors_.empty()) return;
  const size_t i = random_.Uniform(monitors_.size());
  EXPECT_TRUE(Demonitor(monitors_[i].monitor));
  EXPECT_FALSE(Demonitor(monitors_[i].monitor));
  monitors_.erase(monitors_.begin() + static_cast<std::ptrdiff_t>(i));
  ++world_.ended;
}

void Peer::End() {
  const uint64_t me = self().id().value();
  for (int i = 0; i < 3; ++i) {
    world_.SomePeer(random_).Send<Hello>(me);
  }
  switch (random_.Uniform(4)) {
    case 0:
      return StopSelf();
    case 1:
      return StopSelf(ExitReason::Shutdown());
    case 2:
      return Fail(absl::AbortedError("by chance"));
    case 3:
      return self().Kill();
  }
}

void Peer::Handle(Hello hello) {
  EXPECT_FALSE(gone_.contains(hello.from))
      << "a message behind the news of its sender's end";
}

void Peer::HearOfEnd(const AnyActorRef& actor) {
  EXPECT_EQ(actor.status(), ActorStatus::kStopped)
      << "who has ended may not have been given back, but does nothing";
  gone_.insert(actor.id().value());
  ++world_.exits;
}

void Peer::OnDown(const Down& down) {
  const auto found = std::find_if(
      monitors_.begin(), monitors_.end(),
      [&](const Monitored& entry) { return entry.monitor == down.monitor; });
  ASSERT_NE(found, monitors_.end()) << "a Down of a monitor that is over";
  EXPECT_EQ(found->actor, down.actor);
  monitors_.erase(found);
  gone_.insert(down.actor.id().value());
  ++world_.downs;
}

std::optional<WatchSnapshot> Peer::Handle(LookAtTables) {
  WatchSnapshot snapshot;
  if (cell().handler != nullptr && cell().handler->watches() != nullptr) {
    for (const auto& [id, link] : cell().handler->watches()->links()) {
      snapshot.links.insert(id);
    }
    EXPECT_EQ(cell().handler->watches()->monitors(), monitors_.size());
  }
  for (const Monitored& entry : monitors_) {
    snapshot.monitors.emplace(entry.actor.id().value(), entry.monitor.serial());
  }
  const uint64_t tag = EnterSeat();
  const bool is_here =
      ReachFromSeat(cell(), cell().CurrentId(), tag) == Reach::kHere;
  if (is_here && cell().extras != nullptr) {
    for (const auto& [key, down] : cell().extras->watchers) {
      snapshot.watchers.emplace(key.watcher, key.serial);
    }
  }
  LeaveSeat();
  if (!is_here) return std::nullopt;
  return snapshot;
}

// -- WatchWorld

WatchWorld::WatchWorld(ActorSystem& system, uint64_t seed)
    : system_(system), random_(seed) {
  for (int i = 0; i < kPeers; ++i) {
    const PeerRef peer = Spawn();
    absl::MutexLock lock(&mu_);
    peers_.push_back(peer);
  }
}

PeerRef WatchWorld::Spawn() {
  SpawnOptions options;
  if (random_.Uniform(3) == 0) {
    options.mailbox = {.messages = 3, .policy = OverflowPolicy::kDropOldest};
  }
  const uint64_t seed = random_.NextUint64();
  if (random_.Uniform(3) == 0) {
    return system_.Spawn<TrappingPeer>(options, *this, seed).value();
  }
  return system_.Spawn<Peer>(options, *this, seed).value();
}

PeerRef WatchWorld::SomePeer(Random& random) const {
  absl::MutexLock lock(&mu_);
  if (peers_.empty()) return PeerRef();
  if (!former_.empty() && random.Uniform(10) == 0) {
    return former_[random.Uniform(former_.size())];
  }
  return peers_[random.Uniform(peers_.size())];
}

void WatchWorld::Step() {
  const size_t number = random_.Uniform(kPeers);
  PeerRef peer;
  {
    absl::MutexLock lock(&mu_);
    peer = peers_[number];
  }
  switch (random_.Uniform(40)) {
    case 0:
      peer.Kill();
      break;
    case 1:
      peer.Stop();
      break;
    case 2:
      peer.Drain();
      break;
    default:
      peer.Send<Stir>();
  }
  if (peer.status() != ActorStatus::kStopped) return;
  const PeerRef successor = Spawn();
  absl::MutexLock lock(&mu_);
  former_.push_back(std::exchange(peers_[number], successor));
}

bool WatchWorld::TablesAgree() {
  std::vector<PeerRef> peers;
  {
    absl::MutexLock lock(&mu_);
    peers = peers_;
  }
  std::map<uint64_t, WatchSnapshot> tables;
  for (const PeerRef& peer : peers) {
    // Its own mailbox may drop the question, and the turn may lose its seat.
    while (peer.status() != ActorStatus::kStopped) {
      const absl::StatusOr<std::optional<WatchSnapshot>> table =
          peer.Call<LookAtTables>().Wait();
      if (!table.ok() || !table->has_value()) continue;
      tables[peer.id().value()] = **table;
      break;
    }
  }
  // Each way, so that nothing is in one table only.
  for (const auto& [id, table] : tables) {
    for (const uint64_t other : table.links) {
      const auto found = tables.find(other);
      if (found == tables.end() || !found->second.links.contains(id)) {
        return false;
      }
    }
    for (const auto& [other, serial] : table.monitors) {
      const auto found = tables.find(other);
      if (found == tables.end() ||
          !found->second.watchers.contains({id, serial})) {
        return false;
      }
    }
    for (const auto& [other, serial] : table.watchers) {
      const auto found = tables.find(other);
      if (found == tables.end() ||
          !found->second.monitors.contains({id, serial})) {
        return false;
      }
    }
  }
  return true;
}

}  // namespace troupe::internal
