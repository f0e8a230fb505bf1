// What a SimulatedNetwork is made of.
#ifndef TROUPE_TESTING_INTERNAL_SIMULATED_CONNECTION_H_
#define TROUPE_TESTING_INTERNAL_SIMULATED_CONNECTION_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "troupe/base/clock.h"
#include "troupe/base/fifo.h"
#include "troupe/cluster/transport.h"

namespace troupe::testing {

class SimulatedNetwork;

namespace internal {

class SimulatedConnection;
class SimulatedListener;
class SimulatedTransport;
struct SimulatedPair;

enum SimulatedSide { kDialler, kAcceptor };
inline SimulatedSide Other(SimulatedSide side) {
  return side == kDialler ? kAcceptor : kDialler;
}

// Something that will happen to a connection.
struct SimulatedEvent {
  enum class Kind {
    kSyn,      // The acceptor is asked.
    kGiveUp,   // Whoever dialled has waited for too long.
    kLane,     // A frame of `from` arrives.
    kAck,      // `from` hears what the other end took.
    kEnd,      // The other end hears how `from` has ended it.
    kEndHere,  // `from` hears the end that it made itself.
  };

  MonotonicTime time = {};
  uint64_t tie = 0;  // Drawn: which of those of one time is first.
  Kind kind = Kind::kSyn;
  SimulatedSide from = kDialler;
  int lane = 0;
  std::shared_ptr<SimulatedPair> pair = nullptr;
};

struct SimulatedHost {
  struct Listening {
    std::shared_ptr<Acceptor> acceptor;
    SimulatedTransport* transport;  // Null: its process is gone.
  };

  std::string name;
  int number = 0;
  bool up = false;  // The machine answers.
  bool paused = false;
  SimulatedTransport* process = nullptr;  // Null: none.
  std::map<std::string, std::shared_ptr<Listening>> listening;
  std::vector<SimulatedEvent> held;  // While paused, or not up.
};

// A connection, with both ends.
struct SimulatedPair {
  struct Frame {
    std::string bytes;
    MonotonicTime due;  // Or when the frame in front of it has arrived.
  };
  struct Lane {
    ::troupe::internal::Fifo<Frame> frames;
    size_t bytes = 0;    // Of the frames.
    bool armed = false;  // There is an event for the first frame.
    size_t acked_bytes = 0;
    bool ack_armed = false;
  };
  // What is sent from one side to the other.
  struct Direction {
    std::array<Lane, kTransportLanes> lanes;
    // Nothing more is sent; set once.
    std::optional<absl::Status> end;
    bool end_armed = false;
  };
  enum class State {
    kNone,  // There is nobody who hears of it, as yet or for ever.
    kOpen,
    kEnding,  // Hears no more than the end.
    kDead,    // Its process has crashed: hears the end of its transport.
    kOver,
  };
  struct End {
    SimulatedHost* host = nullptr;
    SimulatedTransport* transport = nullptr;
    State state = State::kNone;
    std::shared_ptr<ConnectionHandler> handler;  // Null while it accepts.
    absl::Status why;                            // When it is ending.
  };

  uint64_t number = 0;
  std::string address;
  bool established = false;
  std::array<End, 2> ends;
  std::array<Direction, 2> sent;  // By the side that sends.
};

}  // namespace internal
}  // namespace troupe::testing

#endif  // TROUPE_TESTING_INTERNAL_SIMULATED_CONNECTION_H_
