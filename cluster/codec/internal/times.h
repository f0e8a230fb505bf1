// Codecs of times and durations, infinite ones among them.
#ifndef TROUPE_CLUSTER_CODEC_INTERNAL_TIMES_H_
#define TROUPE_CLUSTER_CODEC_INTERNAL_TIMES_H_

#include <chrono>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "troupe/cluster/codec/decoder.h"
#include "troupe/cluster/codec/encoder.h"
#include "troupe/cluster/codec/shape.h"

namespace troupe {

// Whole seconds, rounded to the past, then quarters of a nanosecond, which is
// what Abseil keeps. The least and the greatest number of seconds are infinite.
template <>
struct Codec<absl::Duration> {
  static void Encode(absl::Duration value, Encoder& out);
  static void Decode(Decoder& in, absl::Duration& value);
  static void Describe(ShapeBuilder& shape) { shape.Add("\"duration\""); }
};

// Time since 1970, of the wall clock.
template <>
struct Codec<absl::Time> {
  static void Encode(absl::Time value, Encoder& out) {
    Codec<absl::Duration>::Encode(value - absl::UnixEpoch(), out);
  }
  static void Decode(Decoder& in, absl::Time& value) {
    absl::Duration since;
    Codec<absl::Duration>::Decode(in, since);
    value = absl::UnixEpoch() + since;
  }
  static void Describe(ShapeBuilder& shape) { shape.Add("\"time\""); }
};

template <typename Rep, typename Period>
struct Codec<std::chrono::duration<Rep, Period>> {
  using Duration = std::chrono::duration<Rep, Period>;
  static void Encode(const Duration& value, Encoder& out) {
    Codec<Rep>::Encode(value.count(), out);
  }
  static void Decode(Decoder& in, Duration& value) {
    Rep count{};
    Codec<Rep>::Decode(in, count);
    value = Duration(count);
  }
  static void Describe(ShapeBuilder& shape) {
    shape.Add(absl::StrCat("(\"", Period::num, "/", Period::den, "\""));
    shape.AddType<Rep>();
    shape.Add(")");
  }
};

}  // namespace troupe

#endif  // TROUPE_CLUSTER_CODEC_INTERNAL_TIMES_H_
