// A Link is one end of a connection: a stream for each lane.
//
// Its handler is called by the thread of its poller alone, without locks. What
// is under way keeps the link; when that thread has told the end, and nothing
// is under way any more, the link is over.
//
// How it ends, whoever begins:
//
//   Close() at this end                    at the other one
//   hears nothing any more but the end
//   control lane: what waits, goodbye  --> notes with what it was closed
//   each lane: what waits, its end     --> hears all, then finishes the lane
//   finishes each lane                 <-- hears the end
//
// Who waits for the other end longer than `linger` cancels all lanes, and so
// does an end of which one lane has ended alone.
#ifndef TROUPE_CLUSTER_GRPC_INTERNAL_LINK_H_
#define TROUPE_CLUSTER_GRPC_INTERNAL_LINK_H_

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "grpcpp/alarm.h"
#include "grpcpp/completion_queue.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/status.h"
#include "troupe/base/fifo.h"
#include "troupe/cluster/grpc/internal/frames.h"
#include "troupe/cluster/grpc/internal/poller.h"
#include "troupe/cluster/grpc/internal/stream.h"
#include "troupe/cluster/transport.h"

namespace troupe::internal {

struct LinkLimits {
  size_t max_frame_bytes = size_t{4} << 20;
  size_t max_incoming_bytes = size_t{1} << 30;
  // Until both ends have all lanes.
  absl::Duration open_within = absl::Seconds(10);
  absl::Duration linger = absl::Seconds(1);
  // See GrpcTransportOptions.
  absl::Duration taken_within = absl::Seconds(10);
};

class Link final : public std::enable_shared_from_this<Link> {
 public:
  using Streams = std::array<std::unique_ptr<Stream>, kTransportLanes>;

  // `peer`: where the other end is. `over` is called by the poller's thread, as
  // the last of the link; `queue` stays until then.
  Link(std::string peer, const LinkLimits& limits, grpc::CompletionQueue* queue,
       absl::AnyInvocable<void(Link&) &&> over)
      : peer_(std::move(peer)),
        limits_(limits),
        queue_(queue),
        over_(std::move(over)) {}
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  // The end that dials, once.
  void Dial(Streams streams, std::shared_ptr<ConnectionHandler> handler)
      ABSL_LOCKS_EXCLUDED(mu_);

  // The end that is dialled; in the poller's thread. Takes a lane. False: it
  // has that one, or is refused, and the stream is still the caller's.
  bool AddLane(TransportLane lane, std::unique_ptr<Stream>& stream)
      ABSL_LOCKS_EXCLUDED(mu_);
  bool HasAllLanes() const ABSL_LOCKS_EXCLUDED(mu_);
  // Null refuses it. REQUIRES: HasAllLanes(); called once.
  void Accept(std::shared_ptr<ConnectionHandler> handler)
      ABSL_LOCKS_EXCLUDED(mu_);

  void Send(TransportLane lane, std::string frame) ABSL_LOCKS_EXCLUDED(mu_);
  void Close(const absl::Status& why) ABSL_LOCKS_EXCLUDED(mu_);
  // The connection object is gone.
  void Drop() ABSL_LOCKS_EXCLUDED(mu_);

  const std::string& peer() const { return peer_; }
  std::optional<std::vector<std::string>> proven_names() const
      ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    return proven_names_;
  }

 private:
  enum class State {
    kOpening,  // Not both ends have all lanes yet.
    kOpen,
    kClosing,  // Nothing is heard any more but the end.
  };

  struct Waiting {
    std::string frame;
    FrameKind kind = FrameKind::kFrame;
  };

  struct Lane {
    Lane(Link* in_link, TransportLane in_which)
        : link(in_link), which(in_which) {}

    void OnOpened(bool ok) { link->OnOpened(*this, ok); }
    void OnRead(bool ok) { link->OnRead(*this, ok); }
    void OnWritten(bool ok) { link->OnWritten(*this, ok); }
    void OnFinished(bool) { link->OnFinished(*this); }

    Link* const link;
    const TransportLane which;
    std::unique_ptr<Stream> stream;
    Fifo<Waiting> waiting;
    grpc::ByteBuffer incoming;
    size_t writing_bytes = 0;  // Of a frame.
    bool opened = false;
    bool writing = false;
    bool read_ended = false;    // The other end writes nothing any more, ...
    bool writes_ended = false;  // ... and neither does this one.
    bool finishing = false;
    bool finished = false;
    CompletionOf<Lane, &Lane::OnOpened> on_opened{this};
    CompletionOf<Lane, &Lane::OnRead> on_read{this};
    CompletionOf<Lane, &Lane::OnWritten> on_written{this};
    CompletionOf<Lane, &Lane::OnFinished> on_finished{this};
  };

  // -- completions; in the poller's thread
  void OnOpened(Lane& lane, bool ok) ABSL_LOCKS_EXCLUDED(mu_);
  void OnRead(Lane& lane, bool ok) ABSL_LOCKS_EXCLUDED(mu_);
  void OnWritten(Lane& lane, bool ok) ABSL_LOCKS_EXCLUDED(mu_);
  void OnFinished(Lane& lane) ABSL_LOCKS_EXCLUDED(mu_);
  void OnTooLate(bool expired) ABSL_LOCKS_EXCLUDED(mu_);
  void OnLingered(bool expired) ABSL_LOCKS_EXCLUDED(mu_);
  void OnBell(bool) ABSL_LOCKS_EXCLUDED(mu_);
  void TellEnd() ABSL_LOCKS_EXCLUDED(mu_);
  // Something that was begun is done, and so is what comes of it.
  void Done() ABSL_LOCKS_EXCLUDED(mu_);

  // -- steps
  // Counts what is begun. The first one keeps the link.
  void BeginOne() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void SetAlarm(grpc::Alarm& alarm, absl::Duration after, Completion* done)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Whether the other end of the lane is that of the others.
  bool IsOfSameNode(const Lane& lane) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Open(Lane& lane) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Read(Lane& lane) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Writes what waits; when nothing does and the link closes, ends the writes.
  void Write(Lane& lane) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Finish(Lane& lane, const grpc::Status& status)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // The other end writes nothing any more in that lane, and reads nothing.
  void OtherEnded(Lane& lane) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void BeginToClose(const absl::Status& why) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Linger() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void CancelAll() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool AllFinished() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::Status HowItBroke() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const std::string peer_;
  const LinkLimits limits_;
  grpc::CompletionQueue* const queue_;

  // Of the poller's thread, once the link has been dialled or accepted.
  std::shared_ptr<ConnectionHandler> handler_;
  absl::AnyInvocable<void(Link&) &&> over_;

  CompletionOf<Link, &Link::OnTooLate> on_too_late_{this};
  CompletionOf<Link, &Link::OnLingered> on_lingered_{this};
  CompletionOf<Link, &Link::OnBell> on_bell_{this};

  mutable absl::Mutex mu_;
  State state_ ABSL_GUARDED_BY(mu_) = State::kOpening;
  bool accepted_ ABSL_GUARDED_BY(mu_) = false;  // Or dialled.
  // Of all lanes alike. Set with the first one of them.
  std::optional<std::vector<std::string>> proven_names_ ABSL_GUARDED_BY(mu_);
  bool lingers_ ABSL_GUARDED_BY(mu_) = false;
  bool has_told_end_ ABSL_GUARDED_BY(mu_) = false;
  // What it ends with. Set when closing.
  absl::Status why_ ABSL_GUARDED_BY(mu_);
  std::optional<absl::Status> goodbye_ ABSL_GUARDED_BY(mu_);
  int under_way_ ABSL_GUARDED_BY(mu_) = 0;
  std::shared_ptr<Link> self_ ABSL_GUARDED_BY(mu_);
  std::array<Lane, kTransportLanes> lanes_ ABSL_GUARDED_BY(mu_) = {
      {{this, TransportLane::kControl},
       {this, TransportLane::kData},
       {this, TransportLane::kBulk}}};
  grpc::Alarm too_late_ ABSL_GUARDED_BY(mu_);
  grpc::Alarm linger_ ABSL_GUARDED_BY(mu_);
  // Brings the poller's thread to tell the end.
  grpc::Alarm bell_ ABSL_GUARDED_BY(mu_);
};

}  // namespace troupe::internal

#endif  // TROUPE_CLUSTER_GRPC_INTERNAL_LINK_H_
