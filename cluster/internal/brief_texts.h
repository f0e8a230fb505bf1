// Texts that say why something has failed or ended are as long as whoever made
// them liked: an actor, or a peer. What nodes tell each other of them is short,
// so that it fits in a frame whatever they are, and so that little that a peer
// says makes no long texts here.
//
// Thread safety: functions and values.
#ifndef TROUPE_CLUSTER_INTERNAL_BRIEF_TEXTS_H_
#define TROUPE_CLUSTER_INTERNAL_BRIEF_TEXTS_H_

#include <cstddef>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "troupe/cluster/codec/codec.h"
#include "troupe/cluster/codec/decoder.h"
#include "troupe/cluster/codec/encoder.h"

namespace troupe {
namespace internal {

// The longest text of a status or a reason that crosses.
inline constexpr size_t kMaxTextBytes = size_t{4} << 10;
// Payloads that have more together do not.
inline constexpr size_t kMaxPayloadBytes = size_t{4} << 10;

// The text, or its beginning and how long it was: at most `most` bytes, not
// within a character of UTF-8.
// REQUIRES: most >= 64
std::string Abridged(absl::string_view text, size_t most = kMaxTextBytes);

// A name that a peer has made up, as it may stand in a log: its beginning, in
// printable characters.
std::string InWords(absl::string_view name);

// The status as it crosses: its text abridged, without payloads where they are
// too long, but for what Delivery() reads.
absl::Status ForWire(absl::Status status);

// A status within an item: as it crosses, whatever it is made of.
class BriefStatus {
 public:
  BriefStatus() = default;
  BriefStatus(absl::Status status)  // NOLINT: it is one.
      : status_(ForWire(std::move(status))) {}
  operator const absl::Status&() const { return status_; }  // NOLINT

  bool ok() const { return status_.ok(); }
  absl::string_view message() const { return status_.message(); }

 private:
  absl::Status status_;
};

}  // namespace internal

// As the status; what comes is as short, too.
template <>
struct Codec<internal::BriefStatus> {
  static void Encode(const internal::BriefStatus& status, Encoder& out) {
    Codec<absl::Status>::Encode(status, out);
  }
  static void Decode(Decoder& in, internal::BriefStatus& status) {
    absl::Status all;
    Codec<absl::Status>::Decode(in, all);
    status = std::move(all);
  }
  static void Describe(ShapeBuilder& shape) { shape.AddType<absl::Status>(); }
};

}  // namespace troupe

#endif  // TROUPE_CLUSTER_INTERNAL_BRIEF_TEXTS_H_
