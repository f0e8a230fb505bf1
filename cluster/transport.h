// How frames of bytes get from node to node: the seam under the cluster, behind
// which lie a queue in this process, a simulated network, gRPC. All of them
// pass transport_conformance.h.
//
// A connection joins two ends. Each end sends frames in lanes; a frame arrives
// whole, or not at all.
//
//   auto listener = transport.Listen("b", acceptor);
//   ...
//   absl::StatusOr<std::unique_ptr<Connection>> to_b =
//       transport.Dial("b", handler);
//   if (to_b.ok()) (*to_b)->Send(TransportLane::kData, "hello");
//
// Order: frames of one lane arrive in the order in which they were sent, each
// once, until the connection ends: then a lane loses what is behind some frame
// of it, or nothing. Lanes are in no order to each other.
// Ownership: of a connection, whoever dialled or accepted it; dropping it
// closes it, within a handler too. The transport keeps a handler until
// OnClosed(), which is the last that it hears, exactly once, whoever closed.
// Destroying a transport ends what is left of it, for each handler too; what it
// made may be destroyed later, and does nothing.
// Blocking: nothing blocks, but the destructor of a transport waits for calls
// of handlers and acceptors; so it is not called in one of them, nor in a turn.
// Thread safety: any thread. A handler is called by any thread, but never by
// two at once, and never from within a call of the transport, its connections
// and listeners, so that these may be called under locks that a handler takes;
// it must be brief and not throw, and may call all of them. It may be called
// before the Dial() that it was given to has returned.
// Memory ordering: what happened before Send() is visible to the handler of the
// frame; what a call of a handler did is visible to the next.
// Errors: kFailedPrecondition at Listen() and Dial(): others than those of this
// machine could read or forge on the way what is sent, and nothing protects it;
// says what would. A connection that breaks says why in OnClosed():
// kUnavailable if the other end may be reached again; kDataLoss if it sent what
// cannot be.
#ifndef TROUPE_CLUSTER_TRANSPORT_H_
#define TROUPE_CLUSTER_TRANSPORT_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace troupe {

// Control waits for no data that was sent before it, and data for no bulk.
enum class TransportLane : uint8_t { kControl, kData, kBulk };
inline constexpr int kTransportLanes = 3;

class ConnectionHandler {
 public:
  virtual ~ConnectionHandler() = default;

  // A frame has come.
  virtual void OnFrame(TransportLane lane, std::string frame) = 0;
  // The transport has taken `bytes` more of what was sent in that lane off our
  // hands: who keeps to a limit of what is under way may send as much again. Of
  // a connection that stays, it adds up to all that was sent.
  virtual void OnSent(TransportLane lane, size_t bytes) = 0;
  // The connection has ended, and this is the last that is heard of it. OK: the
  // other end, or this one, dropped it or closed it with that.
  virtual void OnClosed(const absl::Status& why) = 0;
};

class Connection {
 public:
  virtual ~Connection() = default;

  // REQUIRES: the frame is not longer than Transport::max_frame_bytes(). After
  // the end it is dropped.
  virtual void Send(TransportLane lane, std::string frame) = 0;
  // Ends it; what was sent and not delivered may be lost. This end's handler
  // hears no frame any more but one that it is hearing, and then `why`; the
  // other end hears what the transport can tell of that. After the end it does
  // nothing.
  virtual void Close(const absl::Status& why) = 0;
  // Where the other end is, for messages.
  virtual std::string peer() const = 0;
  // The nodes that the other end has proven to be, one of: by its certificate,
  // say. Known when a frame has come. Nothing: no proof was asked for.
  virtual std::optional<std::vector<std::string>> proven_names() const {
    return std::nullopt;
  }
};

// Takes what connects: see Transport::Listen(). May be called by several
// threads at once, but as a handler never from within a call of the transport.
class Acceptor {
 public:
  virtual ~Acceptor() = default;

  // A connection has been made. Returns who hears of it, which is called from
  // when this has returned; null refuses it. Who dialled one that is refused,
  // or dropped in here, hears kUnavailable.
  virtual std::shared_ptr<ConnectionHandler> OnAccept(
      std::unique_ptr<Connection> connection) = 0;
};

// Accepts for as long as it exists; what was accepted stays.
class Listener {
 public:
  virtual ~Listener() = default;

  // Where it can be reached: the address asked for, with what was left open
  // (port 0) filled in.
  virtual std::string address() const = 0;
};

class Transport {
 public:
  virtual ~Transport() = default;

  // Accepts connections to `address`. When the listener is gone, the address is
  // free, and `acceptor` is called no more, but for a call that had begun.
  // kAlreadyExists: the address is in use. kInvalidArgument: it is none.
  virtual absl::StatusOr<std::unique_ptr<Listener>> Listen(
      absl::string_view address, std::shared_ptr<Acceptor> acceptor) = 0;

  // Begins to connect. `handler` hears frames, or at last why there is no
  // connection, in OnClosed(): kUnavailable if nobody listens there. What is
  // sent before the other end has accepted waits for that. kInvalidArgument:
  // the address is none.
  virtual absl::StatusOr<std::unique_ptr<Connection>> Dial(
      absl::string_view address,
      std::shared_ptr<ConnectionHandler> handler) = 0;

  virtual size_t max_frame_bytes() const = 0;
};

}  // namespace troupe

#endif  // TROUPE_CLUSTER_TRANSPORT_H_
