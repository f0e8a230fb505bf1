// A network between hosts in a simulation: virtual time, and a seed, decide
// when frames arrive and what is lost.
//
//   DeterministicSchedule schedule(seed);
//   testing::SimulatedNetwork network(schedule, {.seed = seed});
//   std::unique_ptr<Transport> a = network.AddTransport("a");
//   std::unique_ptr<Transport> b = network.AddTransport("b");
//   auto listener = b->Listen("b:1", acceptor);
//   auto connection = a->Dial("b:1", handler);
//   network.Partition({"a"}, {"b"});
//   schedule.RunFor(absl::Seconds(5));
//
// Connections are as TCP makes them. What a partition holds up arrives when it
// has healed; what a reset cuts is lost, from any byte on, in each lane. A
// host that fails leaves half-open connections: the other end hears nothing
// until it sends something, and the host is up again and knows nothing of it.
//
// Order: within a lane of a connection as sent; else by the delays that are
// drawn for each frame.
// Ownership: the schedule outlives the network, and that its transports.
// Blocking: no call blocks; destroying a transport calls the handlers that have
// not heard the end, and waits for nothing.
// Thread safety: none: one thread plays.
// Cost: see simulated_network_benchmark.cc.
#ifndef TROUPE_TESTING_SIMULATED_NETWORK_H_
#define TROUPE_TESTING_SIMULATED_NETWORK_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "troupe/base/clock.h"
#include "troupe/base/random.h"
#include "troupe/cluster/transport.h"
#include "troupe/scheduler/deterministic_schedule.h"
#include "troupe/testing/internal/simulated_connection.h"

namespace troupe::testing {

// How frames get from one host to another one.
struct LinkOptions {
  // Each takes as long as the seed says between these.
  absl::Duration min_delay = absl::Microseconds(50);
  absl::Duration max_delay = absl::Milliseconds(1);
  // Some take up to so much more.
  double slow_probability = 0.01;
  absl::Duration slow_delay = absl::Milliseconds(50);
  // Shared by all connections; who comes later waits, but control for no data
  // and data for no bulk. 0: no limit.
  int64_t bytes_per_second = 0;
};

struct SimulatedNetworkOptions {
  uint64_t seed = 0;
  // Of all links for which nothing else is set.
  LinkOptions link = {};
  // Who dials hears nothing for that long at most.
  absl::Duration connect_timeout = absl::Seconds(10);
  size_t max_frame_bytes = size_t{1} << 20;
  // Told what happens to hosts, links and connections, in words.
  std::function<void(absl::string_view)> record = {};
};

// What the other ends notice of a process that is gone.
enum class CrashKind {
  // They hear of it: the operating system is still there.
  kReset,
  // Nothing: the machine is gone.
  kSilence,
};

class SimulatedNetwork final : private DeterministicPlayer {
 public:
  SimulatedNetwork(DeterministicSchedule& schedule,
                   SimulatedNetworkOptions options);
  // REQUIRES: its transports are gone.
  ~SimulatedNetwork() override;

  // Starts a process on a host, which is as good as its transport. Addresses
  // are the name of the host and ":" and anything. To destroy the transport
  // ends the process orderly: other ends hear of it.
  // REQUIRES: the transport of the process before is destroyed or has crashed.
  std::unique_ptr<Transport> AddTransport(absl::string_view host);

  // -- faults ----------------------------------------------------------------

  // From now on, for what is sent from one host to the other.
  void SetLink(absl::string_view from, absl::string_view to,
               const LinkOptions& options);

  // Nothing of what the first hosts send arrives at the others any more; the
  // other way is not touched.
  void Block(const std::vector<std::string>& from,
             const std::vector<std::string>& to);
  void Unblock(const std::vector<std::string>& from,
               const std::vector<std::string>& to);
  // Blocks both ways.
  void Partition(const std::vector<std::string>& one,
                 const std::vector<std::string>& other);
  // Unblocks all.
  void Heal();

  // Breaks a connection, at any byte; the seed says which. False: there is
  // none.
  bool ResetAny();
  // Breaks all connections between two hosts.
  void Reset(absl::string_view one, absl::string_view other);

  // Ends the process of a host, with all of its connections and listeners. Its
  // transport does nothing any more; its handlers hear the end when it is
  // destroyed. Does nothing where no process is.
  void Crash(absl::string_view host, CrashKind kind);

  // Nothing arrives at the host until it is resumed, and then at once what has
  // come meanwhile: as by SIGSTOP, the machine receives it. What it has sent
  // goes on. What runs on it has to be paused too: see DeterministicSchedule.
  void Pause(absl::string_view host);
  void Resume(absl::string_view host);

  // Calls a function after that time: faults that end by themselves.
  void After(absl::Duration delay, std::function<void()> function);

  // -- what happens ----------------------------------------------------------

  // Connections that are not over at both ends.
  size_t connections() const { return pairs_.size(); }
  // Frames that have arrived.
  uint64_t delivered_frames() const { return delivered_frames_; }
  // What was sent in a lane and has not arrived, or is not known to have.
  size_t bytes_under_way(TransportLane lane) const;
  Random& random() { return random_; }

 private:
  friend class internal::SimulatedConnection;
  friend class internal::SimulatedListener;
  friend class internal::SimulatedTransport;
  using Pair = internal::SimulatedPair;
  using Side = internal::SimulatedSide;
  using Event = internal::SimulatedEvent;
  using Host = internal::SimulatedHost;

  struct Link {
    LinkOptions options;
    bool blocked = false;
    // When what was sent in a lane is on its way.
    std::array<MonotonicTime, kTransportLanes> free_at = {};
    std::vector<Event> held;
  };

  // DeterministicPlayer:
  bool IsReady() override;
  void Play() override;
  MonotonicTime NextExpiry() const override;
  void AdvanceTo(MonotonicTime now) override { now_ = now; }

  Host& HostOf(absl::string_view name);
  Link& LinkOf(const Host& from, const Host& to);
  void Record(absl::string_view what);

  // -- events ----------------------------------------------------------------

  void Push(MonotonicTime time, Event event);
  // Has something that is no frame go from one host to the other.
  void Travel(const Host& from, const Host& to, Event event);
  // Whether it arrives now; else it is held until it can.
  bool Arrives(Event& event);
  // What was held comes soon; for a host that goes on, at once.
  void Release(std::vector<Event>& held);
  void Read(Host& host);
  void Release(std::vector<Event>& held, absl::Duration within);
  absl::Duration Delay(const LinkOptions& link);

  void Happen(Event& event);
  void OnSyn(const std::shared_ptr<Pair>& pair);
  void OnLane(const Event& event);
  void OnAck(const Event& event);
  void OnEnd(const Event& event);
  void OnEndHere(const Event& event);
  void OnGiveUp(const std::shared_ptr<Pair>& pair);

  // -- connections -----------------------------------------------------------

  std::shared_ptr<Pair> Dial(internal::SimulatedTransport& transport,
                             absl::string_view address,
                             std::shared_ptr<ConnectionHandler> handler);
  void Send(const std::shared_ptr<Pair>& pair, Side from, int lane,
            std::string frame);
  void Close(const std::shared_ptr<Pair>& pair, Side by,
             const absl::Status& why);
  // Sends a frame on its way.
  void Enqueue(const std::shared_ptr<Pair>& pair, Side from, int lane,
               std::string frame);
  // The other end will hear this, after what `from` has sent; but of that all
  // is lost from some byte on, if `cut`.
  void EndThere(const std::shared_ptr<Pair>& pair, Side from,
                const absl::Status& why, bool cut);
  void CutLanes(Pair& pair, Side from);
  void ArmLane(const std::shared_ptr<Pair>& pair, Side from, int lane);
  void ArmEnd(const std::shared_ptr<Pair>& pair, Side from);
  // That end is over, and its handler hears so.
  void Finish(const std::shared_ptr<Pair>& pair, Side side,
              const absl::Status& why);
  void ResetPair(const std::shared_ptr<Pair>& pair);
  // The process of a host, and so all of its ends, are gone.
  void EndProcess(Host& host, CrashKind kind, bool cut);
  // Lets the handlers of a process that is gone hear the end.
  void FinishAllOf(const internal::SimulatedTransport& transport);

  DeterministicSchedule& schedule_;
  const SimulatedNetworkOptions options_;
  Random random_;
  MonotonicTime now_;
  std::map<std::string, std::unique_ptr<Host>, std::less<>> hosts_;
  std::map<std::pair<int, int>, Link> links_;  // By the numbers of the hosts.
  std::vector<Event> events_;                  // A heap; the first on top.
  std::multimap<MonotonicTime, std::function<void()>> timers_;
  std::map<uint64_t, std::shared_ptr<Pair>> pairs_;  // Not over.
  uint64_t last_number_ = 0;
  uint64_t delivered_frames_ = 0;
};

}  // namespace troupe::testing

#endif  // TROUPE_TESTING_SIMULATED_NETWORK_H_
