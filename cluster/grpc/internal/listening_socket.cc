#include "troupe/cluster/grpc/internal/listening_socket.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

namespace troupe::internal {
namespace {

// What connects faster than it is accepted waits.
constexpr int kBacklog = SOMAXCONN;

// When there was no descriptor, one may be there again so much later.
constexpr absl::Duration kTryAgainAfter = absl::Milliseconds(50);

absl::Status CannotListen(const Address& address, int error) {
  const absl::StatusCode code =
      error == EADDRINUSE                 ? absl::StatusCode::kAlreadyExists
      : error == EACCES || error == EPERM ? absl::StatusCode::kPermissionDenied
      : error == EADDRNOTAVAIL || error == ENOENT
          ? absl::StatusCode::kInvalidArgument
          : absl::StatusCode::kUnavailable;
  return absl::Status(
      code, absl::StrCat("cannot listen at ", address.ToString(), ": ",
                         error == EADDRINUSE ? "somebody does already"
                                             : std::strerror(error)));
}

Descriptor NewSocket(int family) {
  return Descriptor(
      ::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

void TurnOn(const Descriptor& socket, int level, int option) {
  const int on = 1;
  (void)::setsockopt(socket.number(), level, option, &on, sizeof(on));
}

// -- paths --------------------------------------------------------------------

constexpr size_t kMaxPath = sizeof(sockaddr_un{}.sun_path) - 1;

// That of a socket which has not got its path yet: ".troupe-99" is the longest.
constexpr int kMaxOthers = 100;
constexpr size_t kMaxOtherName = 10;

// How often somebody else may be quicker.
constexpr int kMaxTries = 16;

sockaddr_un ToUnix(const std::string& path) {
  sockaddr_un where = {};
  where.sun_family = AF_UNIX;
  std::memcpy(where.sun_path, path.data(), path.size());
  return where;
}

// What is there, if it is a socket.
std::optional<UnixFile> FileAt(const std::string& path) {
  struct stat file = {};
  if (::lstat(path.c_str(), &file) != 0 || !S_ISSOCK(file.st_mode)) {
    return std::nullopt;
  }
  return UnixFile(file.st_dev, file.st_ino);
}

// Whether nobody listens at a socket any more.
bool IsDead(const std::string& path) {
  const Descriptor probe = NewSocket(AF_UNIX);
  const sockaddr_un where = ToUnix(path);
  return probe.number() >= 0 &&
         ::connect(probe.number(), reinterpret_cast<const sockaddr*>(&where),
                   sizeof(where)) != 0 &&
         errno == ECONNREFUSED;
}

// Gives `path` to the socket at `other`, if it is free or its owner died. What
// is at `other` then is nobody's. errno, or 0.
int TakePath(const std::string& path, const std::string& other) {
  for (int i = 0; i < kMaxTries; ++i) {
    if (::link(other.c_str(), path.c_str()) == 0) return 0;
    if (errno != EEXIST) return errno;
    const std::optional<UnixFile> there = FileAt(path);
    // Another file is somebody's.
    if (!there.has_value() || !IsDead(path)) return EADDRINUSE;
    const auto exchange = [&] {
      return ::renameat2(AT_FDCWD, other.c_str(), AT_FDCWD, path.c_str(),
                         RENAME_EXCHANGE) == 0;
    };
    if (exchange()) {
      if (FileAt(other) == there) return 0;
      // Somebody has taken it meanwhile.
      (void)exchange();
    } else if (errno == EINVAL || errno == ENOSYS) {
      // A file system that cannot.
      (void)::unlink(path.c_str());
    }
  }
  return EADDRINUSE;
}

bool IsShortage(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS ||
         error == ENOMEM;
}

// How often a port is drawn that is free at the first address, and not at
// another one.
constexpr int kMaxDraws = 16;

// Whether it is one of those before it: a host may have two lines in
// /etc/hosts.
bool IsRepeated(const addrinfo& found, const addrinfo& one) {
  for (const addrinfo* other = &found; other != &one; other = other->ai_next) {
    if (other->ai_addrlen == one.ai_addrlen &&
        std::memcmp(other->ai_addr, one.ai_addr, one.ai_addrlen) == 0) {
      return true;
    }
  }
  return false;
}

// At `port`, or at the one that is drawn for the first address; which it then
// is. errno, or 0.
int ListenOnce(addrinfo& found, BindFunction bind, uint16_t& port,
               std::vector<Descriptor>& sockets) {
  int lacking = EAFNOSUPPORT;
  for (addrinfo* one = &found; one != nullptr; one = one->ai_next) {
    // The port that was chosen for the first one is that of all.
    auto& its_port =
        one->ai_family == AF_INET6
            ? reinterpret_cast<sockaddr_in6*>(one->ai_addr)->sin6_port
            : reinterpret_cast<sockaddr_in*>(one->ai_addr)->sin_port;
    its_port = htons(port);
    if (IsRepeated(found, *one)) continue;
    Descriptor socket = NewSocket(one->ai_family);
    if (socket.number() < 0) {
      if (IsShortage(errno)) return errno;
      continue;  // This machine has no such family.
    }
    TurnOn(socket, SOL_SOCKET, SO_REUSEADDR);
    // What is accepted has it too.
    TurnOn(socket, IPPROTO_TCP, TCP_NODELAY);
    socklen_t size = one->ai_addrlen;
    if (bind(socket.number(), one->ai_addr, one->ai_addrlen) != 0) {
      if (errno != EADDRNOTAVAIL) return errno;
      lacking = errno;  // It has the family, and not this address of it.
      continue;
    }
    if (::listen(socket.number(), kBacklog) != 0 ||
        ::getsockname(socket.number(), one->ai_addr, &size) != 0) {
      return errno;
    }
    port = ntohs(its_port);
    sockets.push_back(std::move(socket));
  }
  return sockets.empty() ? lacking : 0;
}

}  // namespace

absl::StatusOr<std::vector<Descriptor>> ListenAtAll(Address& address,
                                                    addrinfo& found,
                                                    BindFunction bind) {
  for (int draws = 1;; ++draws) {
    std::vector<Descriptor> sockets;
    uint16_t port = address.port;
    const int error = ListenOnce(found, bind, port, sockets);
    if (error == 0) {
      address.port = port;
      return sockets;
    }
    if (address.port != 0 || error != EADDRINUSE || draws == kMaxDraws) {
      return CannotListen(address, error);
    }
  }
}

Descriptor::~Descriptor() {
  if (number_ >= 0) ::close(number_);
}

absl::StatusOr<std::unique_ptr<ListeningSocket>> ListeningSocket::Bind(
    const Address& address) {
  Descriptor bell(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (bell.number() < 0) return CannotListen(address, errno);
  auto listening = std::unique_ptr<ListeningSocket>(
      new ListeningSocket(address, std::move(bell)));
  absl::Status status = address.kind == Address::Kind::kUnix
                            ? listening->BindUnix()
                            : listening->BindTcp();
  if (!status.ok()) return status;
  return listening;
}

// The path is there when somebody listens behind it: who finds one that refuses
// may take it. So the socket gets its path last.
absl::Status ListeningSocket::BindUnix() {
  Descriptor socket = NewSocket(AF_UNIX);
  if (socket.number() < 0) return CannotListen(address_, errno);
  const std::string path = address_.host;
  std::string folder = path.substr(0, path.rfind('/') + 1);
  const Descriptor opened(::open(folder.c_str(), O_PATH | O_CLOEXEC));
  if (opened.number() < 0) return CannotListen(address_, errno);
  if (folder.size() + kMaxOtherName > kMaxPath) {
    folder = absl::StrCat("/proc/self/fd/", opened.number(), "/");
  }
  std::string other;
  int error = EADDRINUSE;
  for (int i = 0; i < kMaxOthers && error == EADDRINUSE; ++i) {
    other = absl::StrCat(folder, ".troupe-", i);
    const sockaddr_un where = ToUnix(other);
    error = ::bind(socket.number(), reinterpret_cast<const sockaddr*>(&where),
                   sizeof(where)) == 0
                ? 0
                : errno;
  }
  if (error != 0) return CannotListen(address_, error);
  const absl::Cleanup remove_other = [&other] {
    (void)::unlink(other.c_str());
  };
  const std::optional<UnixFile> file = FileAt(other);
  if (!file.has_value() || ::listen(socket.number(), kBacklog) != 0) {
    return CannotListen(address_, errno);
  }
  error = TakePath(path, other);
  if (error != 0) return CannotListen(address_, error);
  file_ = *file;
  sockets_.push_back(std::move(socket));
  return absl::OkStatus();
}

absl::Status ListeningSocket::BindTcp() {
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int error =
      ::getaddrinfo(address_.host.c_str(), absl::StrCat(address_.port).c_str(),
                    &hints, &found);
  if (error != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("cannot listen at ", address_.ToString(),
                     ": the host is unknown: ", ::gai_strerror(error)));
  }
  const absl::Cleanup free_found = [found] { ::freeaddrinfo(found); };
  absl::StatusOr<std::vector<Descriptor>> sockets =
      ListenAtAll(address_, *found, &::bind);
  if (!sockets.ok()) return std::move(sockets).status();
  sockets_ = *std::move(sockets);
  return absl::OkStatus();
}

ListeningSocket::~ListeningSocket() {
  Stop();
  if (thread_ != nullptr) thread_->Join();
}

absl::Status ListeningSocket::Start(ThreadFactory& threads, Take take) {
  take_ = std::move(take);
  absl::StatusOr<std::unique_ptr<JoinableThread>> thread =
      threads.Start("grpc-accept", [this] { Run(); });
  if (!thread.ok()) return std::move(thread).status();
  thread_ = *std::move(thread);
  return absl::OkStatus();
}

// The thread may be looking at the sockets: it closes them. They listen no
// more.
void ListeningSocket::Stop() {
  absl::MutexLock lock(&mu_);
  if (std::exchange(stopped_, true)) return;
  // Somebody may have removed the path, and somebody else listen there.
  if (file_.has_value() && FileAt(address_.host) == file_) {
    (void)::unlink(address_.host.c_str());
  }
  for (const Descriptor& socket : sockets_) {
    ::shutdown(socket.number(), SHUT_RDWR);
  }
  const uint64_t one = 1;
  (void)!::write(bell_.number(), &one, sizeof(one));
}

void ListeningSocket::BreakTaken() {
  absl::MutexLock lock(&mu_);
  for (const Descriptor& one : taken_) ::shutdown(one.number(), SHUT_RDWR);
  taken_.clear();
}

std::vector<pollfd> ListeningSocket::Waits(bool is_short) const {
  std::vector<pollfd> waits = {
      {.fd = bell_.number(), .events = POLLIN, .revents = 0}};
  const short connects = is_short ? 0 : POLLIN;
  for (const Descriptor& socket : sockets_) {
    waits.push_back({.fd = socket.number(), .events = connects, .revents = 0});
  }
  absl::MutexLock lock(&mu_);
  for (const Descriptor& one : taken_) {
    waits.push_back({.fd = one.number(), .events = 0, .revents = 0});
  }
  return waits;
}

void ListeningSocket::DropEnded(absl::Span<const pollfd> ends) {
  std::vector<Descriptor> open;
  absl::MutexLock lock(&mu_);
  // BreakTaken() may have been quicker.
  if (taken_.size() != ends.size()) return;
  for (size_t i = 0; i < ends.size(); ++i) {
    if (ends[i].revents == 0) open.push_back(std::move(taken_[i]));
  }
  taken_.swap(open);
}

void ListeningSocket::Keep(int socket) {
  // Without one more it cannot be broken, and works.
  const int kept = ::fcntl(socket, F_DUPFD_CLOEXEC, 0);
  if (kept < 0) return;
  absl::MutexLock lock(&mu_);
  taken_.emplace_back(kept);
}

void ListeningSocket::Run() {
  const int try_again =
      static_cast<int>(absl::ToInt64Milliseconds(kTryAgainAfter));
  for (bool is_short = false;;) {
    std::vector<pollfd> waits = Waits(is_short);
    // Of a shortage nothing tells the end.
    (void)::poll(waits.data(), waits.size(), is_short ? try_again : -1);
    if (waits[0].revents != 0) break;
    is_short = false;
    const size_t ends = 1 + sockets_.size();
    DropEnded(absl::MakeConstSpan(waits).subspan(ends));
    for (size_t i = 1; i < ends; ++i) {
      if (!AcceptAll(waits[i].fd)) is_short = true;
    }
  }
  // Whoever has connected, and was not accepted, learns it by this; over a
  // socket of Unix by nothing else.
  absl::MutexLock lock(&mu_);
  sockets_.clear();
}

bool ListeningSocket::AcceptAll(int socket) {
  for (;;) {
    const int accepted =
        ::accept4(socket, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (accepted >= 0) {
      if (file_.has_value()) Keep(accepted);
      take_(accepted);
    } else if (errno == EAGAIN || errno == EINVAL) {
      return true;  // None is there, or nobody listens any more.
    } else if (IsShortage(errno)) {
      return false;
    }
    // Otherwise it was over before it was accepted.
  }
}

}  // namespace troupe::internal
