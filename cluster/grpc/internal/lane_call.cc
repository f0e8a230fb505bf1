#include "troupe/cluster/grpc/internal/lane_call.h"

#include <cstddef>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "openssl/rand.h"
#include "troupe/base/check.h"

namespace troupe::internal {
namespace {

constexpr char kLaneKey[] = "troupe-lane";
constexpr char kConnectionKey[] = "troupe-connection";
constexpr size_t kConnectionBytes = 16;

// Empty: there is none, or more than one.
absl::string_view Only(const grpc::ServerContextBase& context,
                       const char* key) {
  const auto [begin, end] = context.client_metadata().equal_range(key);
  if (begin == end || std::next(begin) != end) return {};
  return {begin->second.data(), begin->second.size()};
}

}  // namespace

std::string NewConnectionKey() {
  std::string bytes(kConnectionBytes, '\0');
  const int drawn = RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()),
                               static_cast<int>(bytes.size()));
  TROUPE_CHECK(drawn == 1, "OpenSSL has no random bytes");
  return absl::BytesToHexString(bytes);
}

std::unique_ptr<grpc::ClientContext> ToContext(const LaneCall& call) {
  auto context = std::make_unique<grpc::ClientContext>();
  context->AddMetadata(kLaneKey, absl::StrCat(static_cast<int>(call.lane)));
  context->AddMetadata(kConnectionKey, call.connection);
  return context;
}

absl::StatusOr<LaneCall> FromContext(absl::string_view method,
                                     const grpc::ServerContextBase& context) {
  if (method != kLaneMethod) {
    return absl::UnimplementedError(
        absl::StrCat("there is no method but ", kLaneMethod));
  }
  int lane = -1;
  if (!absl::SimpleAtoi(Only(context, kLaneKey), &lane) || lane < 0 ||
      lane >= kTransportLanes) {
    return absl::InvalidArgumentError(
        absl::StrCat("the metadata '", kLaneKey, "' names no lane"));
  }
  const absl::string_view connection = Only(context, kConnectionKey);
  if (connection.size() != 2 * kConnectionBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("the metadata '", kConnectionKey, "' is no key"));
  }
  return LaneCall{.lane = static_cast<TransportLane>(lane),
                  .connection = std::string(connection)};
}

}  // namespace troupe::internal
