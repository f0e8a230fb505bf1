// An InProcessLink is what two connections have in common. What arrives at one
// of its ends waits there until the end has a turn, in which its handler is
// called. An end has one turn at a time, posted or running (`in_turn`), so no
// two threads call a handler; and locks are held for no call.
//
// How an end goes: it is counted by its host from the dial until it is over,
// that is, has called OnClosed(), or was refused. A transport that is destroyed
//   1. takes its listeners out of the network, and admits no end any more;
//   2. closes its links, which gives each of its ends a last turn;
//   3. waits until no end is counted.
// After that no turn is posted to its executor: a link that is closed drops
// what is sent.
#include "troupe/cluster/in_process_transport.h"

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "troupe/base/check.h"
#include "troupe/base/clock.h"
#include "troupe/base/fifo.h"
#include "troupe/scheduler/event.h"
#include "troupe/scheduler/post.h"

namespace troupe::internal {

class InProcessLink;

// The two ends of a link.
enum InProcessSide { kDialler, kAcceptor };

// Who listens where, to one transport.
struct InProcessListening {
  std::string address;
  std::shared_ptr<Acceptor> acceptor;
  std::shared_ptr<InProcessHost> host;
};

class InProcessAddresses {
 public:
  // False: the address is in use.
  bool Add(std::shared_ptr<const InProcessListening> listening) {
    absl::MutexLock lock(&mu_);
    const std::string& address = listening->address;
    return listening_.try_emplace(address, std::move(listening)).second;
  }

  // Null: nobody listens there.
  std::shared_ptr<const InProcessListening> Find(absl::string_view address) {
    absl::MutexLock lock(&mu_);
    const auto found = listening_.find(std::string(address));
    return found == listening_.end() ? nullptr : found->second;
  }

  // Does nothing if it was removed before.
  void Remove(const InProcessListening& listening) {
    std::shared_ptr<const InProcessListening>
        removed;  // Goes without the lock.
    absl::MutexLock lock(&mu_);
    const auto found = listening_.find(listening.address);
    if (found == listening_.end() || found->second.get() != &listening) return;
    removed = std::move(found->second);
    listening_.erase(found);
  }

  void RemoveAllOf(const InProcessHost& host) {
    std::vector<std::shared_ptr<const InProcessListening>> removed;
    absl::MutexLock lock(&mu_);
    for (auto it = listening_.begin(); it != listening_.end();) {
      if (it->second->host.get() == &host) {
        removed.push_back(std::move(it->second));
        it = listening_.erase(it);
      } else {
        ++it;
      }
    }
  }

 private:
  absl::Mutex mu_;
  std::map<std::string, std::shared_ptr<const InProcessListening>> listening_
      ABSL_GUARDED_BY(mu_);
};

// What the ends of one transport share.
class InProcessHost {
 public:
  explicit InProcessHost(Executor& executor) : executor_(executor) {}

  Executor& executor() const { return executor_; }

  // Counts one more end and gives it a number. 0: the transport is going.
  uint64_t Admit(const std::shared_ptr<InProcessLink>& link,
                 InProcessSide side) {
    absl::MutexLock lock(&mu_);
    if (going_) return 0;
    ends_.emplace(++last_end_, std::make_pair(link, side));
    return last_end_;
  }

  void Dismiss(uint64_t end) {
    absl::MutexLock lock(&mu_);
    ends_.erase(end);
    if (going_ && ends_.empty()) empty_.Set();
  }

  // Admits no end any more. Returns those that there are.
  std::vector<std::pair<std::shared_ptr<InProcessLink>, InProcessSide>>
  Leave() {
    std::vector<std::pair<std::shared_ptr<InProcessLink>, InProcessSide>> ends;
    absl::MutexLock lock(&mu_);
    going_ = true;
    for (const auto& [number, end] : ends_) {
      if (auto link = end.first.lock()) ends.emplace_back(link, end.second);
    }
    if (ends_.empty()) empty_.Set();
    return ends;
  }

  void AwaitNoEnds() {
    (void)executor_.WaitFor(empty_, MonotonicTime::InfiniteFuture());
    TROUPE_CHECK(empty_.IsSet(),
                 "an executor was shut down before the transport that uses it");
  }

 private:
  Executor& executor_;
  Event empty_;  // Set once going and without ends.
  absl::Mutex mu_;
  bool going_ ABSL_GUARDED_BY(mu_) = false;
  uint64_t last_end_ ABSL_GUARDED_BY(mu_) = 0;
  // By number, so that they are closed in the order in which they were made.
  std::map<uint64_t, std::pair<std::weak_ptr<InProcessLink>, InProcessSide>>
      ends_ ABSL_GUARDED_BY(mu_);
};

class InProcessLink final : public std::enable_shared_from_this<InProcessLink> {
 public:
  using Side = InProcessSide;

  explicit InProcessLink(absl::string_view address) : address_(address) {}

  // Joins both ends; `listening` may be null.
  void Connect(std::shared_ptr<InProcessHost> host,
               std::shared_ptr<ConnectionHandler> handler,
               std::shared_ptr<const InProcessListening> listening,
               std::shared_ptr<InProcessAddresses> addresses)
      ABSL_LOCKS_EXCLUDED(mu_);

  void Send(Side from, TransportLane lane, std::string frame)
      ABSL_LOCKS_EXCLUDED(mu_);
  void Close(Side by, const absl::Status& why) ABSL_LOCKS_EXCLUDED(mu_);
  // The connection object of that end is gone.
  void Drop(Side by) ABSL_LOCKS_EXCLUDED(mu_);

  std::string PeerOf(Side side) const {
    return side == kDialler ? address_ : absl::StrCat("dialler of ", address_);
  }

 private:
  // At most so much in one turn, so that others have theirs.
  static constexpr int kStepsInTurn = 64;
  static constexpr size_t kBytesInTurn = 256 << 10;

  using BytesByLane = std::array<size_t, kTransportLanes>;
  using Frames = std::array<Fifo<std::string>, kTransportLanes>;

  struct End {
    std::shared_ptr<InProcessHost> host;  // Set once.
    uint64_t number = 0;                  // At the host; set once.
    // Null before it has accepted, and when it is over.
    std::shared_ptr<ConnectionHandler> handler;
    // Whether a turn is posted or runs. Also while there must be none: of who
    // has not accepted, and of what is over.
    bool in_turn = false;
    Frames arrived;
    BytesByLane taken_bytes = {};  // Not yet told to the sender.
    BytesByLane sent_bytes = {};   // Not yet told to the handler.
  };

  // What an end does next.
  struct Step {
    enum class Kind {
      kTell,   // Hears `sent_bytes`, and a frame if there is one.
      kRest,   // Nothing; its turn is over.
      kClose,  // Hears `sent_bytes` and `why`; its last turn is over.
    };
    Kind kind = Kind::kTell;
    BytesByLane sent_bytes = {};
    TransportLane lane = TransportLane::kControl;
    std::optional<std::string> frame;
    absl::Status why;
    std::shared_ptr<ConnectionHandler> handler;
    bool post_other = false;  // The other end needs a turn.
  };

  static Side Other(Side side) {
    return side == kDialler ? kAcceptor : kDialler;
  }
  // Whether a turn has to be posted for that end.
  static bool NeedsTurn(End& end) { return !std::exchange(end.in_turn, true); }

  void PostTurn(Side side) ABSL_LOCKS_EXCLUDED(mu_);
  // The first turn of the end that accepts.
  void Accept(const std::shared_ptr<const InProcessListening>& listening,
              InProcessAddresses& addresses) noexcept ABSL_LOCKS_EXCLUDED(mu_);
  void Turn(Side side) noexcept ABSL_LOCKS_EXCLUDED(mu_);
  Step NextStep(Side side) ABSL_LOCKS_EXCLUDED(mu_);
  // Tells the sender what `taker` took. Returns whether it needs a turn.
  bool Acknowledge(Side taker) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Nothing is heard at that end any more.
  void Finish(Side side) ABSL_LOCKS_EXCLUDED(mu_);

  const std::string address_;

  absl::Mutex mu_;
  bool open_ ABSL_GUARDED_BY(mu_) = true;
  absl::Status why_ ABSL_GUARDED_BY(mu_);  // Set when not open.
  std::array<End, 2> ends_ ABSL_GUARDED_BY(mu_);
};

class InProcessConnection final : public Connection {
 public:
  InProcessConnection(std::shared_ptr<InProcessLink> link, InProcessSide side)
      : link_(std::move(link)), side_(side) {}
  ~InProcessConnection() override { link_->Drop(side_); }

  void Send(TransportLane lane, std::string frame) override {
    TROUPE_CHECK(frame.size() <= InProcessTransport::kMaxFrameBytes,
                 "the frame is too long");
    link_->Send(side_, lane, std::move(frame));
  }
  void Close(const absl::Status& why) override { link_->Close(side_, why); }
  std::string peer() const override { return link_->PeerOf(side_); }

 private:
  const std::shared_ptr<InProcessLink> link_;
  const InProcessSide side_;
};

class InProcessListener final : public Listener {
 public:
  InProcessListener(std::shared_ptr<InProcessAddresses> addresses,
                    std::shared_ptr<const InProcessListening> listening)
      : addresses_(std::move(addresses)), listening_(std::move(listening)) {}
  ~InProcessListener() override { addresses_->Remove(*listening_); }

  std::string address() const override { return listening_->address; }

 private:
  const std::shared_ptr<InProcessAddresses> addresses_;
  const std::shared_ptr<const InProcessListening> listening_;
};

void InProcessLink::Connect(std::shared_ptr<InProcessHost> host,
                            std::shared_ptr<ConnectionHandler> handler,
                            std::shared_ptr<const InProcessListening> listening,
                            std::shared_ptr<InProcessAddresses> addresses) {
  bool accepts = false;
  {
    // As one: whoever finds the link at a host closes both ends.
    absl::MutexLock lock(&mu_);
    End& dialler = ends_[kDialler];
    dialler.number = host->Admit(shared_from_this(), kDialler);
    TROUPE_CHECK(dialler.number != 0,
                 "a transport is destroyed while it dials");
    dialler.host = std::move(host);
    dialler.handler = std::move(handler);
    End& acceptor = ends_[kAcceptor];
    acceptor.in_turn = true;
    if (listening != nullptr) {
      acceptor.host = listening->host;
      acceptor.number = acceptor.host->Admit(shared_from_this(), kAcceptor);
      accepts = acceptor.number != 0;
    }
  }
  if (!accepts) {
    Close(kAcceptor, absl::UnavailableError(
                         absl::StrCat("nobody listens at '", address_, "'")));
    return;
  }
  Executor& executor = listening->host->executor();
  PostUnderLock(executor,
                [link = shared_from_this(), listening = std::move(listening),
                 addresses = std::move(addresses)] {
                  link->Accept(listening, *addresses);
                });
}

void InProcessLink::Send(Side from, TransportLane lane, std::string frame) {
  bool post;
  {
    absl::MutexLock lock(&mu_);
    if (!open_) return;
    End& to = ends_[Other(from)];
    to.arrived[static_cast<int>(lane)].Push(std::move(frame));
    post = NeedsTurn(to);
  }
  if (post) PostTurn(Other(from));
}

void InProcessLink::Close(Side by, const absl::Status& why) {
  Frames dropped;  // Go without the lock.
  bool post_by;
  bool post_other;
  {
    absl::MutexLock lock(&mu_);
    if (!open_) return;
    open_ = false;
    why_ = why;
    ends_[by].arrived.swap(dropped);
    post_by = NeedsTurn(ends_[by]);
    post_other = NeedsTurn(ends_[Other(by)]);
  }
  if (post_by) PostTurn(by);
  if (post_other) PostTurn(Other(by));
}

void InProcessLink::Drop(Side by) {
  bool accepted;
  {
    absl::MutexLock lock(&mu_);
    accepted = ends_[by].handler != nullptr;
  }
  Close(by, accepted ? absl::OkStatus()
                     : absl::UnavailableError(absl::StrCat(
                           "'", address_, "' refused the connection")));
}

void InProcessLink::PostTurn(Side side) {
  Executor* executor;
  {
    absl::MutexLock lock(&mu_);
    executor = &ends_[side].host->executor();
  }
  PostUnderLock(*executor,
                [link = shared_from_this(), side] { link->Turn(side); });
}

void InProcessLink::Accept(
    const std::shared_ptr<const InProcessListening>& listening,
    InProcessAddresses& addresses) noexcept {
  if (addresses.Find(address_) != listening) {
    Close(kAcceptor, absl::UnavailableError(absl::StrCat(
                         "nobody listens at '", address_, "' any more")));
    Finish(kAcceptor);
    return;
  }
  std::shared_ptr<ConnectionHandler> handler = listening->acceptor->OnAccept(
      std::make_unique<InProcessConnection>(shared_from_this(), kAcceptor));
  if (handler == nullptr) {
    Drop(kAcceptor);
    Finish(kAcceptor);
    return;
  }
  {
    absl::MutexLock lock(&mu_);
    ends_[kAcceptor].handler = std::move(handler);
  }
  Turn(kAcceptor);
}

void InProcessLink::Turn(Side side) noexcept {
  size_t bytes = 0;
  for (int i = 0; i < kStepsInTurn && bytes < kBytesInTurn; ++i) {
    Step step = NextStep(side);
    if (step.post_other) PostTurn(Other(side));
    if (step.kind == Step::Kind::kRest) return;
    for (int lane = 0; lane < kTransportLanes; ++lane) {
      if (step.sent_bytes[lane] == 0) continue;
      step.handler->OnSent(static_cast<TransportLane>(lane),
                           step.sent_bytes[lane]);
    }
    if (step.frame.has_value()) {
      bytes += step.frame->size();
      step.handler->OnFrame(step.lane, *std::move(step.frame));
    }
    if (step.kind == Step::Kind::kClose) {
      step.handler->OnClosed(step.why);
      step.handler.reset();
      Finish(side);
      return;
    }
  }
  bool post_other;
  {
    absl::MutexLock lock(&mu_);
    post_other = Acknowledge(side);
  }
  if (post_other) PostTurn(Other(side));
  PostTurn(side);
}

InProcessLink::Step InProcessLink::NextStep(Side side) {
  Step step;
  absl::MutexLock lock(&mu_);
  End& end = ends_[side];
  bool tells = false;
  for (int lane = 0; lane < kTransportLanes; ++lane) {
    step.sent_bytes[lane] = std::exchange(end.sent_bytes[lane], 0);
    tells = tells || step.sent_bytes[lane] > 0;
  }
  for (int lane = 0; lane < kTransportLanes; ++lane) {
    if (end.arrived[lane].empty()) continue;
    step.lane = static_cast<TransportLane>(lane);
    step.frame = end.arrived[lane].Pop();
    end.taken_bytes[lane] += step.frame->size();
    step.handler = end.handler;
    return step;
  }
  step.post_other = Acknowledge(side);
  if (!open_) {
    step.kind = Step::Kind::kClose;
    step.why = why_;
    step.handler = std::move(end.handler);
  } else if (tells) {
    step.handler = end.handler;
  } else {
    step.kind = Step::Kind::kRest;
    end.in_turn = false;
  }
  return step;
}

bool InProcessLink::Acknowledge(Side taker) {
  End& sender = ends_[Other(taker)];
  bool any = false;
  for (int lane = 0; lane < kTransportLanes; ++lane) {
    const size_t bytes = std::exchange(ends_[taker].taken_bytes[lane], 0);
    sender.sent_bytes[lane] += bytes;
    any = any || bytes > 0;
  }
  return any && NeedsTurn(sender);
}

void InProcessLink::Finish(Side side) {
  Frames dropped;  // Go without the lock.
  std::shared_ptr<InProcessHost> host;
  uint64_t number;
  {
    absl::MutexLock lock(&mu_);
    ends_[side].arrived.swap(dropped);
    host = ends_[side].host;
    number = ends_[side].number;
  }
  host->Dismiss(number);
}

}  // namespace troupe::internal

namespace troupe {

InProcessNetwork::InProcessNetwork()
    : addresses_(std::make_shared<internal::InProcessAddresses>()) {}

InProcessTransport::InProcessTransport(const InProcessNetwork& network,
                                       Executor& executor)
    : addresses_(network.addresses_),
      host_(std::make_shared<internal::InProcessHost>(executor)) {}

InProcessTransport::~InProcessTransport() {
  addresses_->RemoveAllOf(*host_);
  for (const auto& [link, side] : host_->Leave()) {
    link->Close(side, absl::UnavailableError("the transport is gone"));
  }
  host_->AwaitNoEnds();
}

absl::StatusOr<std::unique_ptr<Listener>> InProcessTransport::Listen(
    absl::string_view address, std::shared_ptr<Acceptor> acceptor) {
  if (address.empty()) {
    return absl::InvalidArgumentError("the address to listen at is empty");
  }
  auto listening = std::make_shared<const internal::InProcessListening>(
      internal::InProcessListening{std::string(address), std::move(acceptor),
                                   host_});
  if (!addresses_->Add(listening)) {
    return absl::AlreadyExistsError(
        absl::StrCat("somebody listens at '", address, "' already"));
  }
  return std::make_unique<internal::InProcessListener>(addresses_,
                                                       std::move(listening));
}

absl::StatusOr<std::unique_ptr<Connection>> InProcessTransport::Dial(
    absl::string_view address, std::shared_ptr<ConnectionHandler> handler) {
  if (address.empty()) {
    return absl::InvalidArgumentError("the address to dial is empty");
  }
  auto link = std::make_shared<internal::InProcessLink>(address);
  auto connection =
      std::make_unique<internal::InProcessConnection>(link, internal::kDialler);
  link->Connect(host_, std::move(handler), addresses_->Find(address),
                addresses_);
  return connection;
}

}  // namespace troupe
