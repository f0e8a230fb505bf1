#include "troupe/cluster/grpc/internal/address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace troupe::internal {
namespace {

constexpr absl::string_view kUnixPrefix = "unix:";

absl::Status NoAddress(absl::string_view text, absl::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat("'", text, "' is no address: ", why,
                   "; write host:port, [::1]:port or unix:/path"));
}

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

// A path whose owner died is free: gRPC removes it.
absl::Status ProbeUnix(const Address& address) {
  sockaddr_un where = {};
  where.sun_family = AF_UNIX;
  std::memcpy(where.sun_path, address.host.data(), address.host.size());
  const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return CannotListen(address, errno);
  const absl::Cleanup close_socket = [socket] { ::close(socket); };
  if (::connect(socket, reinterpret_cast<const sockaddr*>(&where),
                sizeof(where)) == 0) {
    return CannotListen(address, EADDRINUSE);
  }
  return absl::OkStatus();
}

absl::Status ProbeTcp(const Address& address) {
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(
      address.host.c_str(), absl::StrCat(address.port).c_str(), &hints, &found);
  if (error != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("cannot listen at ", address.ToString(),
                     ": the host is unknown: ", ::gai_strerror(error)));
  }
  const absl::Cleanup free_found = [found] { ::freeaddrinfo(found); };
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    const int socket =
        ::socket(one->ai_family, one->ai_socktype | SOCK_CLOEXEC, 0);
    if (socket < 0) continue;  // This machine has no such family.
    const absl::Cleanup close_socket = [socket] { ::close(socket); };
    const int on = 1;
    (void)::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (::bind(socket, one->ai_addr, one->ai_addrlen) != 0 ||
        ::listen(socket, 1) != 0) {
      return CannotListen(address, errno);
    }
  }
  return absl::OkStatus();
}

}  // namespace

std::string Address::ToString() const {
  if (kind == Kind::kUnix) return absl::StrCat(kUnixPrefix, host);
  return absl::StrContains(host, ':') ? absl::StrCat("[", host, "]:", port)
                                      : absl::StrCat(host, ":", port);
}

bool Address::IsLocal() const {
  if (kind == Kind::kUnix || host == "localhost" || host == "::1") return true;
  in_addr parsed = {};
  return ::inet_pton(AF_INET, host.c_str(), &parsed) == 1 &&
         ntohl(parsed.s_addr) >> 24 == IN_LOOPBACKNET;
}

absl::StatusOr<Address> ParseAddress(absl::string_view text) {
  absl::string_view rest = text;
  if (absl::ConsumePrefix(&rest, kUnixPrefix)) {
    if (rest.empty() || rest.front() != '/') {
      return NoAddress(text, "the path is not absolute");
    }
    if (rest.size() >= sizeof(sockaddr_un{}.sun_path)) {
      return NoAddress(text, "the path is too long");
    }
    return Address{.kind = Address::Kind::kUnix, .host = std::string(rest)};
  }
  const size_t colon = rest.rfind(':');
  if (colon == absl::string_view::npos) {
    return NoAddress(text, "it has no port");
  }
  absl::string_view host = rest.substr(0, colon);
  int port = -1;
  if (!absl::SimpleAtoi(rest.substr(colon + 1), &port) || port < 0 ||
      port > 65535) {
    return NoAddress(text, "its port is not one");
  }
  if (absl::ConsumePrefix(&host, "[")) {
    if (!absl::ConsumeSuffix(&host, "]")) {
      return NoAddress(text, "a bracket is missing");
    }
  } else if (absl::StrContains(host, ':')) {
    return NoAddress(text, "an IPv6 address stands in brackets");
  }
  if (host.empty()) return NoAddress(text, "it has no host");
  return Address{.kind = Address::Kind::kTcp,
                 .host = std::string(host),
                 .port = static_cast<uint16_t>(port)};
}

absl::Status ProbeToListen(const Address& address) {
  return address.kind == Address::Kind::kUnix ? ProbeUnix(address)
                                              : ProbeTcp(address);
}

}  // namespace troupe::internal
