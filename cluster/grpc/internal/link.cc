#include "troupe/cluster/grpc/internal/link.h"

#include <algorithm>
#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "grpc/support/time.h"
#include "troupe/base/check.h"

namespace troupe::internal {
namespace {

gpr_timespec After(absl::Duration duration) {
  return gpr_time_add(
      gpr_now(GPR_CLOCK_MONOTONIC),
      gpr_time_from_nanos(absl::ToInt64Nanoseconds(duration), GPR_TIMESPAN));
}

}  // namespace

// -- beginning ----------------------------------------------------------------

void Link::Dial(Streams streams, std::shared_ptr<ConnectionHandler> handler) {
  absl::MutexLock lock(&mu_);
  handler_ = std::move(handler);
  accepted_ = true;
  SetAlarm(too_late_, limits_.open_within, &on_too_late_);
  for (Lane& lane : lanes_) {
    lane.stream = std::move(streams[static_cast<int>(lane.which)]);
    Open(lane);
  }
}

bool Link::AddLane(TransportLane which, std::unique_ptr<Stream>& stream) {
  absl::MutexLock lock(&mu_);
  Lane& lane = lanes_[static_cast<int>(which)];
  if (state_ != State::kOpening || lane.stream != nullptr) return false;
  if (self_ == nullptr) {
    SetAlarm(too_late_, limits_.open_within, &on_too_late_);
    proven_names_ = stream->proven_names();
  }
  lane.stream = std::move(stream);
  return true;
}

bool Link::HasAllLanes() const {
  absl::MutexLock lock(&mu_);
  return state_ == State::kOpening &&
         std::all_of(lanes_.begin(), lanes_.end(),
                     [](const Lane& lane) { return lane.stream != nullptr; });
}

void Link::Accept(std::shared_ptr<ConnectionHandler> handler) {
  absl::MutexLock lock(&mu_);
  if (state_ == State::kClosing) {
    // Dropped by who accepted it; the bell has been rung.
    handler_ = std::move(handler);
    return;
  }
  if (handler == nullptr) {
    BeginToClose(absl::UnavailableError("the connection was refused"));
    return;
  }
  handler_ = std::move(handler);
  accepted_ = true;
  for (Lane& lane : lanes_) Open(lane);
}

// -- what its owner does ------------------------------------------------------

void Link::Send(TransportLane which, std::string frame) {
  TROUPE_CHECK(frame.size() <= limits_.max_frame_bytes,
               "the frame is too long");
  absl::MutexLock lock(&mu_);
  Lane& lane = lanes_[static_cast<int>(which)];
  if (state_ == State::kClosing || lane.read_ended) return;
  lane.waiting.Push({std::move(frame), FrameKind::kFrame});
  Write(lane);
}

void Link::Close(const absl::Status& why) {
  absl::MutexLock lock(&mu_);
  if (state_ != State::kClosing) BeginToClose(why);
}

void Link::Drop() {
  absl::MutexLock lock(&mu_);
  if (state_ == State::kClosing) return;
  BeginToClose(accepted_
                   ? absl::OkStatus()
                   : absl::UnavailableError("the connection was refused"));
}

void Link::BeginToClose(const absl::Status& why) {
  const bool was_open = state_ == State::kOpen;
  state_ = State::kClosing;
  why_ = why;
  too_late_.Cancel();
  SetAlarm(bell_, absl::ZeroDuration(), &on_bell_);
  if (!accepted_) {
    const grpc::Status refused(grpc::StatusCode::UNAVAILABLE,
                               std::string(why.message()));
    for (Lane& lane : lanes_) {
      if (lane.stream != nullptr) Finish(lane, refused);
    }
    return;
  }
  if (!was_open) {
    CancelAll();
    return;
  }
  lanes_[static_cast<int>(TransportLane::kControl)].waiting.Push(
      {EncodeGoodbye(why), FrameKind::kGoodbye});
  for (Lane& lane : lanes_) Write(lane);
  Linger();
}

// -- completions --------------------------------------------------------------

void Link::OnOpened(Lane& lane, bool ok) {
  {
    absl::MutexLock lock(&mu_);
    if (ok && !IsOfSameNode(lane)) {
      // gRPC may have connected once more for a lane.
      if (state_ != State::kClosing) {
        BeginToClose(absl::UnavailableError(
            absl::StrCat("the lanes to ", peer_, " lead to different nodes")));
      }
    }
    if (ok) {
      lane.opened = true;
      if (state_ == State::kOpening &&
          std::all_of(lanes_.begin(), lanes_.end(),
                      [](const Lane& one) { return one.opened; })) {
        state_ = State::kOpen;
        too_late_.Cancel();
      }
      Read(lane);
      Write(lane);
    } else {
      OtherEnded(lane);
    }
  }
  Done();
}

void Link::OnRead(Lane& lane, bool ok) {
  std::string frame;
  bool is_heard = false;
  {
    absl::MutexLock lock(&mu_);
    if (ok) {
      const absl::StatusOr<FrameKind> kind = FromMessage(lane.incoming, frame);
      lane.incoming.Clear();
      if (!kind.ok()) {
        if (state_ != State::kClosing) BeginToClose(kind.status());
      } else if (*kind == FrameKind::kGoodbye) {
        goodbye_ = DecodeGoodbye(frame);
      } else {
        is_heard = state_ != State::kClosing;
      }
    } else {
      OtherEnded(lane);
    }
  }
  if (is_heard) handler_->OnFrame(lane.which, std::move(frame));
  if (ok) {
    absl::MutexLock lock(&mu_);
    Read(lane);
  }
  Done();
}

void Link::OnWritten(Lane& lane, bool ok) {
  size_t sent_bytes = 0;
  {
    absl::MutexLock lock(&mu_);
    lane.writing = false;
    if (ok && state_ != State::kClosing) sent_bytes = lane.writing_bytes;
    // Who cannot be written to is not: his end of the lane will be heard of.
    lane.writes_ended = lane.writes_ended || !ok;
    if (lane.read_ended) {
      Finish(lane, grpc::Status::OK);
    } else {
      Write(lane);
    }
  }
  if (sent_bytes > 0) handler_->OnSent(lane.which, sent_bytes);
  Done();
}

void Link::OnFinished(Lane& lane) {
  bool broke = false;
  {
    absl::MutexLock lock(&mu_);
    lane.finished = true;
    if (AllFinished()) {
      linger_.Cancel();
      too_late_.Cancel();
      if (state_ != State::kClosing) {
        state_ = State::kClosing;
        why_ = HowItBroke();
        broke = true;
      }
    }
  }
  if (broke) TellEnd();
  Done();
}

void Link::OnTooLate(bool expired) {
  {
    absl::MutexLock lock(&mu_);
    if (expired && state_ == State::kOpening) {
      BeginToClose(absl::UnavailableError(
          absl::StrCat("no connection with ", peer_, " was made within ",
                       absl::FormatDuration(limits_.open_within))));
    }
  }
  Done();
}

void Link::OnLingered(bool expired) {
  {
    absl::MutexLock lock(&mu_);
    if (expired) CancelAll();
  }
  Done();
}

void Link::OnBell(bool) {
  TellEnd();
  Done();
}

void Link::TellEnd() {
  absl::Status why;
  {
    absl::MutexLock lock(&mu_);
    has_told_end_ = true;
    why = why_;
  }
  const std::shared_ptr<ConnectionHandler> handler = std::move(handler_);
  if (handler != nullptr) handler->OnClosed(why);
}

void Link::Done() {
  std::shared_ptr<Link> self;
  {
    absl::MutexLock lock(&mu_);
    if (--under_way_ > 0) return;
    TROUPE_CHECK(has_told_end_ && AllFinished(),
                 "a link with nothing under way has ended");
    for (Lane& lane : lanes_) lane.stream.reset();
    self = std::move(self_);
  }
  std::move(over_)(*self);
}

// -- steps --------------------------------------------------------------------

void Link::BeginOne() {
  if (under_way_++ == 0) self_ = shared_from_this();
}

void Link::SetAlarm(grpc::Alarm& alarm, absl::Duration after,
                    Completion* done) {
  BeginOne();
  alarm.Set(queue_, After(after), done);
}

bool Link::IsOfSameNode(const Lane& lane) {
  std::optional<std::vector<std::string>> names = lane.stream->proven_names();
  for (const Lane& other : lanes_) {
    if (other.opened) return names == proven_names_;
  }
  proven_names_ = std::move(names);
  return true;
}

void Link::Open(Lane& lane) {
  BeginOne();
  lane.stream->Open(&lane.on_opened);
}

void Link::Read(Lane& lane) {
  BeginOne();
  lane.stream->Read(&lane.incoming, &lane.on_read);
}

void Link::Write(Lane& lane) {
  if (!lane.opened || lane.writing || lane.writes_ended || lane.finishing) {
    return;
  }
  if (!lane.waiting.empty()) {
    Waiting next = lane.waiting.Pop();
    lane.writing = true;
    lane.writing_bytes = next.kind == FrameKind::kFrame ? next.frame.size() : 0;
    BeginOne();
    lane.stream->Write(ToMessage(std::move(next.frame), next.kind),
                       !lane.waiting.empty(), &lane.on_written);
    return;
  }
  if (state_ != State::kClosing) return;
  lane.writes_ended = true;
  BeginOne();
  if (lane.stream->EndWrites(&lane.on_written)) {
    lane.writing = true;
    lane.writing_bytes = 0;
  } else {
    --under_way_;
    Finish(lane, grpc::Status::OK);
  }
}

void Link::Finish(Lane& lane, const grpc::Status& status) {
  if (lane.finishing) return;
  lane.finishing = true;
  BeginOne();
  lane.stream->Finish(status, &lane.on_finished);
}

void Link::OtherEnded(Lane& lane) {
  lane.read_ended = true;
  while (!lane.waiting.empty()) lane.waiting.Pop();
  if (!lane.writing) Finish(lane, grpc::Status::OK);
  Linger();
}

void Link::Linger() {
  if (std::exchange(lingers_, true)) return;
  SetAlarm(linger_, limits_.linger, &on_lingered_);
}

void Link::CancelAll() {
  for (Lane& lane : lanes_) {
    while (!lane.waiting.empty()) lane.waiting.Pop();
    if (lane.stream != nullptr) lane.stream->Cancel();
  }
}

bool Link::AllFinished() const {
  return std::all_of(lanes_.begin(), lanes_.end(), [](const Lane& lane) {
    return lane.stream == nullptr || lane.finished;
  });
}

absl::Status Link::HowItBroke() const {
  if (goodbye_.has_value()) return *goodbye_;
  for (const Lane& lane : lanes_) {
    const grpc::Status& status = lane.stream->status();
    if (status.ok()) continue;
    return absl::UnavailableError(absl::StrCat(
        "the connection with ", peer_, " broke: ", status.error_message()));
  }
  return absl::UnavailableError(
      absl::StrCat("the connection with ", peer_, " broke"));
}

}  // namespace troupe::internal
