// Sockets that listen at an address, and hand on what connects.
//
//   auto listening = ListeningSocket::Bind(address);
//   ...
//   absl::Status status = (*listening)->Start(
//       threads, [this](int socket) { Take(socket); });
//
// gRPC could do that itself, but gives up listening, for good and without a
// word, when the process has no descriptor left for a moment (1.51). Here what
// connects waits until there is one.
//
// Thread safety: any thread.
#ifndef TROUPE_CLUSTER_GRPC_INTERNAL_LISTENING_SOCKET_H_
#define TROUPE_CLUSTER_GRPC_INTERNAL_LISTENING_SOCKET_H_

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/types.h>

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/span.h"
#include "troupe/cluster/grpc/internal/address.h"
#include "troupe/scheduler/thread_factory.h"

namespace troupe::internal {

// Closes it.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept
      : number_(std::exchange(other.number_, -1)) {}
  ~Descriptor();

  int number() const { return number_; }

 private:
  int number_;  // -1: none.
};

// What tells it from others: device and number.
using UnixFile = std::pair<dev_t, ino_t>;

// As ::bind().
using BindFunction =
    absl::FunctionRef<int(int socket, const sockaddr* address, socklen_t size)>;

// Sockets that listen at those of the addresses `found` that this machine has,
// all at one port: that of `address`, or, if that is 0, one that is free, which
// it then has. Errors of ListeningSocket::Bind(): there is no such address, or
// somebody listens at one.
absl::StatusOr<std::vector<Descriptor>> ListenAtAll(Address& address,
                                                    addrinfo& found,
                                                    BindFunction bind);

class ListeningSocket {
 public:
  // A socket that does not block, whose owner is who is called.
  using Take = absl::AnyInvocable<void(int socket)>;

  // kAlreadyExists, kPermissionDenied, kInvalidArgument (not an address of this
  // machine), kUnavailable.
  static absl::StatusOr<std::unique_ptr<ListeningSocket>> Bind(
      const Address& address);
  ListeningSocket(const ListeningSocket&) = delete;
  ListeningSocket& operator=(const ListeningSocket&) = delete;
  // Stops; waits for a call of `take`.
  ~ListeningSocket();

  // With the port that was chosen.
  const Address& address() const { return address_; }

  // A thread calls `take`. kResourceExhausted: there is no room for it. Called
  // once.
  absl::Status Start(ThreadFactory& threads, Take take);
  // The address is free; `take` may be called once more.
  void Stop() ABSL_LOCKS_EXCLUDED(mu_);

  // Ends the connections over a socket of Unix that were taken, whoever has
  // them now: nothing else ends one whose other end takes nothing. REQUIRES:
  // Stop() was called.
  void BreakTaken() ABSL_LOCKS_EXCLUDED(mu_);

 private:
  ListeningSocket(Address address, Descriptor bell)
      : address_(std::move(address)), bell_(std::move(bell)) {}

  absl::Status BindUnix();
  absl::Status BindTcp();
  void Run();
  // What Run() waits for: the bell, who connects to sockets_, unless there is
  // no descriptor for one more, and the ends of taken_.
  std::vector<pollfd> Waits(bool is_short) const ABSL_LOCKS_EXCLUDED(mu_);
  // Of those that `ends` says are over. REQUIRES: they are as Waits() has them.
  void DropEnded(absl::Span<const pollfd> ends) ABSL_LOCKS_EXCLUDED(mu_);
  // False: there is no descriptor, or no memory, for one more.
  bool AcceptAll(int socket);
  void Keep(int socket) ABSL_LOCKS_EXCLUDED(mu_);

  Address address_;
  const Descriptor bell_;  // Can be read when this has stopped.
  std::vector<Descriptor> sockets_;
  std::optional<UnixFile> file_;  // The path's, if it is a socket of Unix.
  Take take_;
  std::unique_ptr<JoinableThread> thread_;

  mutable absl::Mutex mu_;
  bool stopped_ ABSL_GUARDED_BY(mu_) = false;
  // Of Unix, of connections that may be open, beside those that were handed on.
  std::vector<Descriptor> taken_ ABSL_GUARDED_BY(mu_);
};

}  // namespace troupe::internal

#endif  // TROUPE_CLUSTER_GRPC_INTERNAL_LISTENING_SOCKET_H_
