#include "troupe/testing/simulated_network.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "troupe/base/check.h"
#include "troupe/testing/internal/simulated_transport.h"

namespace troupe::testing {

using internal::kAcceptor;
using internal::kDialler;
using internal::SimulatedTransport;

namespace {

// Apart from the random numbers of the executors and of the test.
constexpr uint64_t kForTheNetwork = 0x3b8f40c6d1e5a729;

}  // namespace

SimulatedNetwork::SimulatedNetwork(DeterministicSchedule& schedule,
                                   SimulatedNetworkOptions options)
    : schedule_(schedule),
      options_(std::move(options)),
      random_(options_.seed ^ kForTheNetwork) {
  schedule_.Join(*this);
}

SimulatedNetwork::~SimulatedNetwork() {
  for (const auto& [name, host] : hosts_) {
    TROUPE_CHECK(host->process == nullptr,
                 "a network ends before its transports");
  }
  schedule_.Leave(*this);
}

std::unique_ptr<Transport> SimulatedNetwork::AddTransport(
    absl::string_view name) {
  Host& host = HostOf(name);
  TROUPE_CHECK(host.process == nullptr, "a process of the host runs");
  auto transport = std::make_unique<SimulatedTransport>(*this, host);
  host.process = transport.get();
  host.up = true;
  Record(absl::StrCat(name, " starts"));
  Release(host.held);
  return transport;
}

SimulatedNetwork::Host& SimulatedNetwork::HostOf(absl::string_view name) {
  std::unique_ptr<Host>& host = hosts_[std::string(name)];
  if (host == nullptr) {
    host = std::make_unique<Host>();
    host->name = std::string(name);
    host->number = static_cast<int>(hosts_.size());
  }
  return *host;
}

SimulatedNetwork::Link& SimulatedNetwork::LinkOf(const Host& from,
                                                 const Host& to) {
  const auto [found, is_new] = links_.try_emplace({from.number, to.number});
  if (is_new) found->second.options = options_.link;
  return found->second;
}

void SimulatedNetwork::Record(absl::string_view what) {
  if (options_.record) options_.record(absl::StrCat("network: ", what));
}

// -- faults -------------------------------------------------------------------

void SimulatedNetwork::SetLink(absl::string_view from, absl::string_view to,
                               const LinkOptions& options) {
  TROUPE_CHECK(options.min_delay <= options.max_delay,
               "a delay is between the least and the most");
  LinkOf(HostOf(from), HostOf(to)).options = options;
}

void SimulatedNetwork::Block(const std::vector<std::string>& from,
                             const std::vector<std::string>& to) {
  for (const std::string& a : from) {
    for (const std::string& b : to) LinkOf(HostOf(a), HostOf(b)).blocked = true;
  }
  Record(absl::StrCat("nothing gets from ", absl::StrJoin(from, ", "), " to ",
                      absl::StrJoin(to, ", ")));
}

void SimulatedNetwork::Unblock(const std::vector<std::string>& from,
                               const std::vector<std::string>& to) {
  Record(absl::StrCat(absl::StrJoin(from, ", "), " reaches ",
                      absl::StrJoin(to, ", ")));
  for (const std::string& a : from) {
    for (const std::string& b : to) {
      Link& link = LinkOf(HostOf(a), HostOf(b));
      link.blocked = false;
      Release(link.held);
    }
  }
}

void SimulatedNetwork::Partition(const std::vector<std::string>& one,
                                 const std::vector<std::string>& other) {
  Block(one, other);
  Block(other, one);
}

void SimulatedNetwork::Heal() {
  Record("all reach each other");
  for (auto& [numbers, link] : links_) {
    link.blocked = false;
    Release(link.held);
  }
}

bool SimulatedNetwork::ResetAny() {
  std::vector<std::shared_ptr<Pair>> live;
  for (const auto& [number, pair] : pairs_) {
    if (pair->established) live.push_back(pair);
  }
  if (live.empty()) return false;
  ResetPair(live[random_.Uniform(live.size())]);
  return true;
}

void SimulatedNetwork::Reset(absl::string_view one, absl::string_view other) {
  for (const auto& [number, pair] : pairs_) {
    const std::string& from = pair->ends[kDialler].host->name;
    const std::string& to = pair->ends[kAcceptor].host->name;
    if (pair->established &&
        ((from == one && to == other) || (from == other && to == one))) {
      ResetPair(pair);
    }
  }
}

void SimulatedNetwork::ResetPair(const std::shared_ptr<Pair>& pair) {
  Record(absl::StrCat("connection ", pair->number, " is reset"));
  const absl::Status why = absl::UnavailableError(
      absl::StrCat("the connection to '", pair->address, "' was reset"));
  EndThere(pair, kDialler, why, /*cut=*/true);
  EndThere(pair, kAcceptor, why, /*cut=*/true);
}

void SimulatedNetwork::Crash(absl::string_view name, CrashKind kind) {
  Host& host = HostOf(name);
  if (host.process == nullptr) return;
  Record(absl::StrCat(
      name, kind == CrashKind::kReset ? " crashes" : " is gone in silence"));
  EndProcess(host, kind, /*cut=*/true);
}

void SimulatedNetwork::EndProcess(Host& host, CrashKind kind, bool cut) {
  host.process = nullptr;
  host.up = kind == CrashKind::kReset;
  host.paused = false;
  for (const auto& [address, listening] : host.listening) {
    listening->transport = nullptr;
  }
  host.listening.clear();
  for (const auto& [number, pair] : pairs_) {
    for (const Side side : {kDialler, kAcceptor}) {
      Pair::End& end = pair->ends[side];
      if (end.host != &host || (end.state != Pair::State::kOpen &&
                                end.state != Pair::State::kEnding)) {
        continue;
      }
      end.state = Pair::State::kDead;
      if (kind == CrashKind::kReset) {
        EndThere(pair, side,
                 absl::UnavailableError(
                     absl::StrCat("the process on '", host.name, "' is gone")),
                 cut);
      } else {
        CutLanes(*pair, side);
      }
    }
  }
  if (host.up) Release(host.held);
}

void SimulatedNetwork::FinishAllOf(const SimulatedTransport& transport) {
  // What handlers do in this may change the pairs, and make new ones.
  while (true) {
    std::shared_ptr<Pair> found;
    Side side = kDialler;
    for (const auto& [number, pair] : pairs_) {
      for (const Side candidate : {kDialler, kAcceptor}) {
        if (pair->ends[candidate].transport == &transport &&
            pair->ends[candidate].state == Pair::State::kDead) {
          found = pair;
          side = candidate;
        }
      }
      if (found != nullptr) break;
    }
    if (found == nullptr) return;
    Finish(found, side, absl::UnavailableError("the transport is gone"));
  }
}

void SimulatedNetwork::Pause(absl::string_view host) {
  HostOf(host).paused = true;
  Record(absl::StrCat(host, " stands still"));
}

void SimulatedNetwork::Resume(absl::string_view name) {
  Host& host = HostOf(name);
  host.paused = false;
  Record(absl::StrCat(name, " goes on"));
  Read(host);
}

size_t SimulatedNetwork::bytes_under_way(TransportLane lane) const {
  size_t bytes = 0;
  for (const auto& [number, pair] : pairs_) {
    for (const Pair::Direction& direction : pair->sent) {
      const Pair::Lane& sent = direction.lanes[static_cast<size_t>(lane)];
      bytes += sent.bytes + sent.acked_bytes;
    }
  }
  return bytes;
}

void SimulatedNetwork::After(absl::Duration delay,
                             std::function<void()> function) {
  timers_.emplace(now_ + delay, std::move(function));
}

}  // namespace troupe::testing
