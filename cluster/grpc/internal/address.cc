#include "troupe/cluster/grpc/internal/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "absl/strings/ascii.h"
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

}  // namespace

std::string Address::ToString() const {
  if (kind == Kind::kUnix) return absl::StrCat(kUnixPrefix, host);
  return absl::StrContains(host, ':') ? absl::StrCat("[", host, "]:", port)
                                      : absl::StrCat(host, ":", port);
}

std::string Address::ToTarget() const {
  if (kind != Kind::kUnix) return ToString();
  absl::string_view path = host;
  // What follows two slashes would be the authority.
  while (absl::StartsWith(path, "//")) path.remove_prefix(1);
  std::string target(kUnixPrefix);
  for (const char c : path) {
    if (absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
        absl::StrContains("/-._~", c)) {
      target.push_back(c);
    } else {
      absl::StrAppend(
          &target, "%",
          absl::Hex(static_cast<unsigned char>(c), absl::kZeroPad2));
    }
  }
  return target;
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

}  // namespace troupe::internal
