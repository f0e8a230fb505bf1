#include "troupe/cluster/codec/internal/statuses.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "absl/strings/cord.h"
#include "absl/strings/string_view.h"
#include "troupe/cluster/codec/internal/scalars.h"
#include "troupe/cluster/codec/limits.h"

namespace troupe {
namespace {

constexpr size_t kPayloadBytes =
    sizeof(std::pair<std::string, absl::Cord>) + kMemoryPerNode;

absl::StatusCode KnownCode(uint64_t code) {
  return code <= static_cast<uint64_t>(absl::StatusCode::kUnauthenticated)
             ? static_cast<absl::StatusCode>(code)
             : absl::StatusCode::kUnknown;
}

}  // namespace

void Codec<absl::Status>::Encode(const absl::Status& status, Encoder& out) {
  out.WriteVarint(static_cast<uint64_t>(status.code()));
  if (status.ok()) return;
  out.CountMemory(status.message().size());
  out.WriteBytes(status.message());
  // In an order of its own: equal statuses have equal bytes.
  std::map<std::string, absl::Cord> payloads;
  status.ForEachPayload([&](absl::string_view url, const absl::Cord& payload) {
    payloads.emplace(std::string(url), payload);
  });
  out.WriteVarint(payloads.size());
  out.CountMemory(payloads.size() * kPayloadBytes);
  for (const auto& [url, payload] : payloads) {
    out.CountMemory(url.size());
    out.WriteBytes(url);
    Codec<absl::Cord>::Encode(payload, out);
  }
}

void Codec<absl::Status>::Decode(Decoder& in, absl::Status& status) {
  const absl::StatusCode code = KnownCode(in.ReadVarint());
  if (code == absl::StatusCode::kOk) {
    status = absl::OkStatus();
    return;
  }
  const absl::string_view message = in.ReadBytes();
  if (!in.TakeMemory(message.size())) return;
  status = absl::Status(code, message);
  const size_t count = in.ReadCount();
  if (!in.TakeMemory(count, kPayloadBytes)) return;
  for (size_t i = 0; i < count && in.ok(); ++i) {
    const absl::string_view url = in.ReadBytes();
    absl::Cord payload;
    Codec<absl::Cord>::Decode(in, payload);
    if (!in.ok() || !in.TakeMemory(url.size())) return;
    status.SetPayload(url, std::move(payload));
  }
}

}  // namespace troupe
