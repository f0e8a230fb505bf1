// At most one event is pending for each lane, that of its first frame, and the
// end of a direction is sent when its lanes are empty: whatever is held up and
// for how long, no frame overtakes another one of its lane, and none comes
// after the end.
#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "troupe/testing/internal/simulated_transport.h"
#include "troupe/testing/simulated_network.h"

namespace troupe::testing {

using internal::kAcceptor;
using internal::kDialler;
using internal::Other;
using internal::SimulatedConnection;
using internal::SimulatedTransport;

namespace {

// What was held up on its way comes within this, as it is sent again.
constexpr absl::Duration kSentAgainWithin = absl::Milliseconds(200);
// What a machine has received while the process stood still, within this.
constexpr absl::Duration kReadWithin = absl::Milliseconds(1);

MonotonicTime Drawn(Random& random, MonotonicTime from, absl::Duration within) {
  const int64_t most = absl::ToInt64Nanoseconds(within);
  return from + absl::Nanoseconds(random.Uniform(most + 1));
}

// For a heap with the first event on top.
bool IsLater(const internal::SimulatedEvent& a,
             const internal::SimulatedEvent& b) {
  return a.time != b.time ? a.time > b.time : a.tie > b.tie;
}

}  // namespace

// -- events -------------------------------------------------------------------

MonotonicTime SimulatedNetwork::NextExpiry() const {
  MonotonicTime next = MonotonicTime::InfiniteFuture();
  if (!events_.empty()) next = events_.front().time;
  if (!timers_.empty()) next = std::min(next, timers_.begin()->first);
  return next;
}

bool SimulatedNetwork::IsReady() { return NextExpiry() <= now_; }

void SimulatedNetwork::Play() {
  if (!timers_.empty() && timers_.begin()->first <= now_) {
    const std::function<void()> function = std::move(timers_.begin()->second);
    timers_.erase(timers_.begin());
    function();
    return;
  }
  std::pop_heap(events_.begin(), events_.end(), IsLater);
  Event event = std::move(events_.back());
  events_.pop_back();
  if (Arrives(event)) Happen(event);
}

void SimulatedNetwork::Push(MonotonicTime time, Event event) {
  event.time = std::max(time, now_);
  event.tie = random_.NextUint64();
  events_.push_back(std::move(event));
  std::push_heap(events_.begin(), events_.end(), IsLater);
}

absl::Duration SimulatedNetwork::Delay(const LinkOptions& link) {
  MonotonicTime arrival = Drawn(random_, MonotonicTime() + link.min_delay,
                                link.max_delay - link.min_delay);
  if (random_.Bernoulli(link.slow_probability)) {
    arrival = Drawn(random_, arrival, link.slow_delay);
  }
  return arrival - MonotonicTime();
}

void SimulatedNetwork::Travel(const Host& from, const Host& to, Event event) {
  Push(now_ + Delay(LinkOf(from, to).options), std::move(event));
}

bool SimulatedNetwork::Arrives(Event& event) {
  Host& sender = *event.pair->ends[event.from].host;
  Host& other = *event.pair->ends[Other(event.from)].host;
  Host* to = &other;
  Host* from = &sender;
  switch (event.kind) {
    case Event::Kind::kSyn:
    case Event::Kind::kLane:
    case Event::Kind::kEnd:
      break;
    case Event::Kind::kAck:
      std::swap(from, to);
      break;
    case Event::Kind::kGiveUp:
    case Event::Kind::kEndHere:
      to = from;
      break;
  }
  if (to != from) {
    Link& link = LinkOf(*from, *to);
    if (link.blocked) {
      link.held.push_back(std::move(event));
      return false;
    }
  }
  if (to->paused || !to->up) {
    to->held.push_back(std::move(event));
    return false;
  }
  return true;
}

void SimulatedNetwork::Release(std::vector<Event>& held) {
  Release(held, kSentAgainWithin);
}

void SimulatedNetwork::Read(Host& host) { Release(host.held, kReadWithin); }

void SimulatedNetwork::Release(std::vector<Event>& held,
                               absl::Duration within) {
  for (Event& event : std::exchange(held, {})) {
    Push(Drawn(random_, now_, within), std::move(event));
  }
}

void SimulatedNetwork::Happen(Event& event) {
  switch (event.kind) {
    case Event::Kind::kSyn:
      return OnSyn(event.pair);
    case Event::Kind::kGiveUp:
      return OnGiveUp(event.pair);
    case Event::Kind::kLane:
      return OnLane(event);
    case Event::Kind::kAck:
      return OnAck(event);
    case Event::Kind::kEnd:
      return OnEnd(event);
    case Event::Kind::kEndHere:
      return OnEndHere(event);
  }
}

void SimulatedNetwork::OnSyn(const std::shared_ptr<Pair>& pair) {
  if (pair->ends[kDialler].state != Pair::State::kOpen) return;
  Pair::End& end = pair->ends[kAcceptor];
  const auto found = end.host->listening.find(pair->address);
  if (found == end.host->listening.end()) {
    EndThere(pair, kAcceptor,
             absl::UnavailableError(
                 absl::StrCat("nobody listens at '", pair->address, "'")),
             /*cut=*/false);
    return;
  }
  const std::shared_ptr<Host::Listening> listening = found->second;
  end.transport = listening->transport;
  end.state = Pair::State::kOpen;
  std::shared_ptr<ConnectionHandler> handler = listening->acceptor->OnAccept(
      std::make_unique<SimulatedConnection>(*this, pair, kAcceptor));
  if (handler == nullptr) {
    end.state = Pair::State::kNone;
    EndThere(
        pair, kAcceptor,
        absl::UnavailableError(absl::StrCat("'", pair->address, "' refused")),
        /*cut=*/false);
    return;
  }
  end.handler = std::move(handler);
  pair->established = true;
  for (const Side side : {kDialler, kAcceptor}) {
    for (int lane = 0; lane < kTransportLanes; ++lane) {
      auto waiting = std::exchange(pair->sent[side].lanes[lane].frames, {});
      pair->sent[side].lanes[lane].bytes = 0;
      while (!waiting.empty()) {
        Enqueue(pair, side, lane, waiting.Pop().bytes);
      }
    }
    ArmEnd(pair, side);
  }
}

void SimulatedNetwork::OnGiveUp(const std::shared_ptr<Pair>& pair) {
  if (pair->established || pair->ends[kDialler].state != Pair::State::kOpen) {
    return;
  }
  Finish(pair, kDialler,
         absl::UnavailableError(
             absl::StrCat("no answer from '", pair->address, "'")));
}

void SimulatedNetwork::OnLane(const Event& event) {
  const std::shared_ptr<Pair>& pair = event.pair;
  Pair::Lane& lane = pair->sent[event.from].lanes[event.lane];
  lane.armed = false;
  if (!lane.frames.empty()) {
    std::string bytes = lane.frames.Pop().bytes;
    const size_t size = bytes.size();
    lane.bytes -= size;
    const Side to = Other(event.from);
    Pair::End& end = pair->ends[to];
    if (end.state == Pair::State::kOpen) {
      ++delivered_frames_;
      // A call may drop what it likes.
      const std::shared_ptr<ConnectionHandler> handler = end.handler;
      handler->OnFrame(static_cast<TransportLane>(event.lane),
                       std::move(bytes));
      lane.acked_bytes += size;
      if (lane.acked_bytes > 0 && !std::exchange(lane.ack_armed, true)) {
        Event ack = event;
        ack.kind = Event::Kind::kAck;
        Travel(*end.host, *pair->ends[event.from].host, std::move(ack));
      }
    } else if (end.state != Pair::State::kNone) {
      // The host is up, and knows nothing of the connection: it says so, unless
      // the end had been sent before.
      EndThere(pair, to,
               absl::UnavailableError(absl::StrCat(
                   "'", end.host->name, "' does not know the connection")),
               /*cut=*/false);
    }
  }
  ArmLane(pair, event.from, event.lane);
  ArmEnd(pair, event.from);
}

void SimulatedNetwork::OnAck(const Event& event) {
  Pair::Lane& lane = event.pair->sent[event.from].lanes[event.lane];
  lane.ack_armed = false;
  const size_t bytes = std::exchange(lane.acked_bytes, 0);
  Pair::End& end = event.pair->ends[event.from];
  if (end.state != Pair::State::kOpen) return;
  const std::shared_ptr<ConnectionHandler> handler = end.handler;
  handler->OnSent(static_cast<TransportLane>(event.lane), bytes);
}

void SimulatedNetwork::OnEnd(const Event& event) {
  const Side side = Other(event.from);
  if (event.pair->ends[side].state != Pair::State::kOpen) return;
  Finish(event.pair, side, *event.pair->sent[event.from].end);
}

void SimulatedNetwork::OnEndHere(const Event& event) {
  Pair::End& end = event.pair->ends[event.from];
  if (end.state == Pair::State::kEnding) {
    Finish(event.pair, event.from, end.why);
  }
}

// -- connections --------------------------------------------------------------

std::shared_ptr<SimulatedNetwork::Pair> SimulatedNetwork::Dial(
    SimulatedTransport& transport, absl::string_view address,
    std::shared_ptr<ConnectionHandler> handler) {
  auto pair = std::make_shared<Pair>();
  pair->number = ++last_number_;
  pair->address = std::string(address);
  pair->ends[kAcceptor].host = &HostOf(address.substr(0, address.find(':')));
  Pair::End& end = pair->ends[kDialler];
  end.host = &transport.host();
  end.transport = &transport;
  end.handler = std::move(handler);
  end.state = transport.Runs() ? Pair::State::kOpen : Pair::State::kDead;
  pairs_.emplace(pair->number, pair);
  if (end.state == Pair::State::kDead) return pair;
  Record(absl::StrCat(end.host->name, " dials ", address, ": connection ",
                      pair->number));
  Travel(*end.host, *pair->ends[kAcceptor].host,
         {.kind = Event::Kind::kSyn, .from = kDialler, .pair = pair});
  Push(now_ + options_.connect_timeout,
       {.kind = Event::Kind::kGiveUp, .from = kDialler, .pair = pair});
  return pair;
}

void SimulatedNetwork::Send(const std::shared_ptr<Pair>& pair, Side from,
                            int lane, std::string frame) {
  if (pair->sent[from].end.has_value()) return;
  if (pair->established) {
    Enqueue(pair, from, lane, std::move(frame));
  } else {
    Pair::Lane& waiting = pair->sent[from].lanes[lane];
    waiting.bytes += frame.size();
    waiting.frames.Push({std::move(frame), now_});
  }
}

void SimulatedNetwork::Enqueue(const std::shared_ptr<Pair>& pair, Side from,
                               int lane, std::string frame) {
  Link& link = LinkOf(*pair->ends[from].host, *pair->ends[Other(from)].host);
  MonotonicTime sent_at = now_;
  for (int before = 0; before <= lane; ++before) {
    sent_at = std::max(sent_at, link.free_at[before]);
  }
  if (link.options.bytes_per_second > 0) {
    sent_at += absl::Seconds(1) * static_cast<double>(frame.size()) /
               static_cast<double>(link.options.bytes_per_second);
    link.free_at[lane] = sent_at;
  }
  Pair::Lane& sent = pair->sent[from].lanes[lane];
  sent.bytes += frame.size();
  sent.frames.Push({std::move(frame), sent_at + Delay(link.options)});
  ArmLane(pair, from, lane);
}

void SimulatedNetwork::Close(const std::shared_ptr<Pair>& pair, Side by,
                             const absl::Status& why) {
  Pair::End& end = pair->ends[by];
  end.state = Pair::State::kEnding;
  end.why = why;
  Record(absl::StrCat(end.host->name, " closes connection ", pair->number, ": ",
                      why.ToString()));
  EndThere(pair, by, why, /*cut=*/random_.Bernoulli(0.5));
  Push(now_, {.kind = Event::Kind::kEndHere, .from = by, .pair = pair});
}

void SimulatedNetwork::EndThere(const std::shared_ptr<Pair>& pair, Side from,
                                const absl::Status& why, bool cut) {
  Pair::Direction& direction = pair->sent[from];
  if (direction.end.has_value()) return;
  direction.end = why;
  if (cut || !pair->established) CutLanes(*pair, from);
  ArmEnd(pair, from);
}

void SimulatedNetwork::CutLanes(Pair& pair, Side from) {
  for (Pair::Lane& lane : pair.sent[from].lanes) {
    // As many bytes arrive; a frame does if it is among them to its end.
    size_t left = pair.established ? random_.Uniform(lane.bytes + 1) : 0;
    auto frames = std::exchange(lane.frames, {});
    lane.bytes = 0;
    while (!frames.empty()) {
      Pair::Frame frame = frames.Pop();
      if (frame.bytes.size() > left) break;
      left -= frame.bytes.size();
      lane.bytes += frame.bytes.size();
      lane.frames.Push(std::move(frame));
    }
  }
}

void SimulatedNetwork::ArmLane(const std::shared_ptr<Pair>& pair, Side from,
                               int lane) {
  Pair::Lane& sent = pair->sent[from].lanes[lane];
  if (sent.armed || sent.frames.empty()) return;
  sent.armed = true;
  Push(sent.frames.front().due,
       {.kind = Event::Kind::kLane, .from = from, .lane = lane, .pair = pair});
}

void SimulatedNetwork::ArmEnd(const std::shared_ptr<Pair>& pair, Side from) {
  Pair::Direction& direction = pair->sent[from];
  if (!direction.end.has_value() || direction.end_armed) return;
  for (const Pair::Lane& lane : direction.lanes) {
    if (!lane.frames.empty()) return;
  }
  direction.end_armed = true;
  Travel(*pair->ends[from].host, *pair->ends[Other(from)].host,
         {.kind = Event::Kind::kEnd, .from = from, .pair = pair});
}

void SimulatedNetwork::Finish(const std::shared_ptr<Pair>& pair, Side side,
                              const absl::Status& why) {
  Pair::End& end = pair->ends[side];
  const Pair::State before = std::exchange(end.state, Pair::State::kOver);
  Pair::Direction& direction = pair->sent[side];
  if (before == Pair::State::kOpen && !direction.end.has_value()) {
    // The other end has ended it: that needs no answer.
    direction.end = why;
    direction.end_armed = true;
  }
  const std::shared_ptr<ConnectionHandler> handler = std::move(end.handler);
  const Pair::State other = pair->ends[Other(side)].state;
  if (other == Pair::State::kNone || other == Pair::State::kOver) {
    pairs_.erase(pair->number);
  }
  if (handler != nullptr) handler->OnClosed(why);
}

}  // namespace troupe::testing
