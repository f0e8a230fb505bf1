// Codecs of Status, with its payloads, and StatusOr.
#ifndef TROUPE_CLUSTER_CODEC_INTERNAL_STATUSES_H_
#define TROUPE_CLUSTER_CODEC_INTERNAL_STATUSES_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "troupe/cluster/codec/decoder.h"
#include "troupe/cluster/codec/encoder.h"
#include "troupe/cluster/codec/shape.h"

namespace troupe {

// A code that is not known here is kUnknown.
template <>
struct Codec<absl::Status> {
  static void Encode(const absl::Status& status, Encoder& out);
  static void Decode(Decoder& in, absl::Status& status);
  static void Describe(ShapeBuilder& shape) { shape.Add("\"status\""); }
};

template <typename T>
struct Codec<absl::StatusOr<T>> {
  static void Encode(const absl::StatusOr<T>& value, Encoder& out) {
    Codec<absl::Status>::Encode(value.status(), out);
    if (value.ok()) Codec<T>::Encode(*value, out);
  }
  static void Decode(Decoder& in, absl::StatusOr<T>& value) {
    absl::Status status;
    Codec<absl::Status>::Decode(in, status);
    if (!status.ok()) {
      value = std::move(status);
    } else if (in.ok()) {
      Codec<T>::Decode(in, value.emplace());
    }
  }
  static void Describe(ShapeBuilder& shape) {
    shape.Add("(\"status or\"");
    shape.AddType<T>();
    shape.Add(")");
  }
};

}  // namespace troupe

#endif  // TROUPE_CLUSTER_CODEC_INTERNAL_STATUSES_H_
