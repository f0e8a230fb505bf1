#include "troupe/cluster/internal/items.h"

#include <utility>

namespace troupe {
namespace {

// What is newer than this node says that the actor has ended, somehow.
constexpr ExitReason::Kind kLastKind = ExitReason::Kind::kNoConnection;

}  // namespace

void Codec<ExitReason>::Encode(const ExitReason& reason, Encoder& out) {
  out.WriteSized([&reason](Encoder& fields) {
    fields.WriteByte(static_cast<uint8_t>(reason.kind()));
    Codec<absl::Status>::Encode(reason.status(), fields);
    Codec<std::string>::Encode(reason.detail(), fields);
  });
}

void Codec<ExitReason>::Decode(Decoder& in, ExitReason& reason) {
  in.ReadSized([&reason](Decoder& fields) {
    const uint8_t byte = fields.ReadByte();
    absl::Status status;
    Codec<absl::Status>::Decode(fields, status);
    std::string detail;
    Codec<std::string>::Decode(fields, detail);
    const auto kind = static_cast<ExitReason::Kind>(byte);
    if (!fields.ok()) return;
    if (kind > kLastKind) return fields.Fail("no reason of an end");
    if (kind == ExitReason::Kind::kFailed) {
      if (status.ok()) return fields.Fail("a failure without a status");
      reason = ExitReason::Failed(std::move(status));
    } else if (kind == ExitReason::Kind::kNormal) {
      reason = ExitReason::Normal(detail);
    } else if (kind == ExitReason::Kind::kShutdown) {
      reason = ExitReason::Shutdown(detail);
    } else {
      reason = ExitReason::Plain(kind);
    }
  });
}

}  // namespace troupe
