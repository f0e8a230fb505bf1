#include "troupe/cluster/internal/brief_texts.h"

#include "absl/strings/cord.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "troupe/actor/delivery.h"

namespace troupe::internal {
namespace {

constexpr size_t kMaxNameInWords = 255;

size_t PayloadBytes(const absl::Status& status) {
  size_t bytes = 0;
  status.ForEachPayload([&](absl::string_view url, const absl::Cord& payload) {
    bytes += url.size() + payload.size();
  });
  return bytes;
}

bool IsWithinCharacter(absl::string_view text, size_t at) {
  return (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80;
}

}  // namespace

std::string Abridged(absl::string_view text, size_t most) {
  if (text.size() <= most) return std::string(text);
  const std::string mark =
      absl::StrCat("... (cut, it has ", text.size(), " bytes)");
  size_t kept = most - mark.size();
  // No character has more than 4 bytes; what is no text may be cut anywhere.
  for (int i = 0; i < 3 && IsWithinCharacter(text, kept); ++i) --kept;
  return absl::StrCat(text.substr(0, kept), mark);
}

std::string InWords(absl::string_view name) {
  return absl::CHexEscape(name.substr(0, kMaxNameInWords));
}

absl::Status ForWire(absl::Status status) {
  if (status.ok()) return status;
  const bool is_long = PayloadBytes(status) > kMaxPayloadBytes;
  if (!is_long && status.message().size() <= kMaxTextBytes) return status;
  absl::Status brief(status.code(), Abridged(status.message()));
  if (is_long) return WithDelivery(std::move(brief), Delivery(status));
  status.ForEachPayload([&](absl::string_view url, const absl::Cord& payload) {
    brief.SetPayload(url, payload);
  });
  return brief;
}

}  // namespace troupe::internal
