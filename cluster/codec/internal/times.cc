#include "troupe/cluster/codec/internal/times.h"

#include <cstdint>
#include <limits>

#include "absl/strings/str_cat.h"

namespace troupe {
namespace {

constexpr int64_t kPast = std::numeric_limits<int64_t>::min();
constexpr int64_t kFuture = std::numeric_limits<int64_t>::max();
constexpr uint64_t kTicksPerSecond = uint64_t{4'000'000'000};
constexpr int64_t kTicksPerNanosecond = 4;

}  // namespace

void Codec<absl::Duration>::Encode(absl::Duration value, Encoder& out) {
  absl::Duration rest;
  int64_t seconds = absl::IDivDuration(value, absl::Seconds(1), &rest);
  if (value == absl::InfiniteDuration() || value == -absl::InfiniteDuration()) {
    seconds = value < absl::ZeroDuration() ? kPast : kFuture;
    rest = absl::ZeroDuration();
  } else if (rest < absl::ZeroDuration()) {
    --seconds;
    rest += absl::Seconds(1);
  }
  out.WriteSigned(seconds);
  out.WriteVarint(static_cast<uint64_t>(absl::IDivDuration(
      rest, absl::Nanoseconds(1) / kTicksPerNanosecond, &rest)));
}

void Codec<absl::Duration>::Decode(Decoder& in, absl::Duration& value) {
  const int64_t seconds = in.ReadSigned();
  const uint64_t ticks = in.ReadVarint();
  if (ticks >= kTicksPerSecond) {
    return in.Fail(absl::StrCat("a second has no ", ticks, " ticks"));
  }
  if (seconds == kPast || seconds == kFuture) {
    value =
        seconds == kPast ? -absl::InfiniteDuration() : absl::InfiniteDuration();
    return;
  }
  value = absl::Seconds(seconds) + absl::Nanoseconds(1) / kTicksPerNanosecond *
                                       static_cast<int64_t>(ticks);
}

}  // namespace troupe
