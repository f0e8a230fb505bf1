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
    Codec<internal::BriefStatus>::Encode(reason.status(), fields);
    Codec<std::string>::Encode(internal::Abridged(reason.detail()), fields);
  });
}

void Codec<ExitReason>::Decode(Decoder& in, ExitReason& reason) {
  in.ReadSized([&reason](Decoder& fields) {
    const uint8_t byte = fields.ReadByte();
    internal::BriefStatus status;
    Codec<internal::BriefStatus>::Decode(fields, status);
    std::string detail;
    Codec<std::string>::Decode(fields, detail);
    const auto kind = static_cast<ExitReason::Kind>(byte);
    if (!fields.ok()) return;
    if (kind > kLastKind) return fields.Fail("no reason of an end");
    if (kind == ExitReason::Kind::kFailed) {
      if (status.ok()) return fields.Fail("a failure without a status");
      reason = ExitReason::Failed(std::move(status));
    } else if (kind == ExitReason::Kind::kNormal) {
      reason = ExitReason::Normal(internal::Abridged(detail));
    } else if (kind == ExitReason::Kind::kShutdown) {
      reason = ExitReason::Shutdown(internal::Abridged(detail));
    } else {
      reason = ExitReason::Plain(kind);
    }
  });
}

}  // namespace troupe
