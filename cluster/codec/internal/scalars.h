// Codecs of numbers, bool, enums and text.
#ifndef TROUPE_CLUSTER_CODEC_INTERNAL_SCALARS_H_
#define TROUPE_CLUSTER_CODEC_INTERNAL_SCALARS_H_

#include <concepts>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>

#include "absl/numeric/int128.h"
#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "troupe/cluster/codec/decoder.h"
#include "troupe/cluster/codec/encoder.h"
#include "troupe/cluster/codec/shape.h"

namespace troupe {

template <>
struct Codec<bool> {
  static void Encode(bool value, Encoder& out) { out.WriteByte(value ? 1 : 0); }
  static void Decode(Decoder& in, bool& value) {
    const uint8_t byte = in.ReadByte();
    if (byte > 1) [[unlikely]]
      in.Fail(absl::StrCat("the byte ", byte, " is no bool"));
    value = byte == 1;
  }
  static void Describe(ShapeBuilder& shape) { shape.Add("b"); }
};

template <typename T>
requires(std::integral<T> && !std::same_as<T, bool>) struct Codec<T> {
  static void Encode(T value, Encoder& out) {
    if constexpr (std::is_signed_v<T>) {
      out.WriteSigned(value);
    } else {
      out.WriteVarint(value);
    }
  }
  static void Decode(Decoder& in, T& value) {
    if constexpr (std::is_signed_v<T>) {
      Assign(in, in.ReadSigned(), value);
    } else {
      Assign(in, in.ReadVarint(), value);
    }
  }
  static void Describe(ShapeBuilder& shape) {
    shape.Add(std::is_signed_v<T> ? "i" : "u");
  }

 private:
  template <typename Wide>
  static void Assign(Decoder& in, Wide wide, T& value) {
    if (wide < std::numeric_limits<T>::min() ||
        wide > std::numeric_limits<T>::max()) [[unlikely]] {
      in.Fail(absl::StrCat("the number ", wide, " does not fit into ",
                           sizeof(T), sizeof(T) == 1 ? " byte" : " bytes"));
      wide = 0;
    }
    value = static_cast<T>(wide);
  }
};

template <std::floating_point T>
requires(sizeof(T) <= sizeof(double)) struct Codec<T> {
  static void Encode(T value, Encoder& out) { out.WriteFixed(value); }
  static void Decode(Decoder& in, T& value) { value = in.ReadFixed<T>(); }
  static void Describe(ShapeBuilder& shape) {
    shape.Add(sizeof(T) == 4 ? "f4" : "f8");
  }
};

template <typename T>
requires(std::same_as<T, absl::int128> ||
         std::same_as<T, absl::uint128>) struct Codec<T> {
  static void Encode(T value, Encoder& out) {
    out.WriteFixed(absl::Uint128Low64(static_cast<absl::uint128>(value)));
    out.WriteFixed(absl::Uint128High64(static_cast<absl::uint128>(value)));
  }
  static void Decode(Decoder& in, T& value) {
    const uint64_t low = in.ReadFixed<uint64_t>();
    value = static_cast<T>(absl::MakeUint128(in.ReadFixed<uint64_t>(), low));
  }
  static void Describe(ShapeBuilder& shape) {
    shape.Add(std::same_as<T, absl::int128> ? "i16" : "u16");
  }
};

// Any value of the underlying type: a newer sender may know more of them.
template <typename T>
requires std::is_enum_v<T>
struct Codec<T> {
  using Underlying = std::underlying_type_t<T>;
  static void Encode(T value, Encoder& out) {
    Codec<Underlying>::Encode(static_cast<Underlying>(value), out);
  }
  static void Decode(Decoder& in, T& value) {
    Underlying underlying{};
    Codec<Underlying>::Decode(in, underlying);
    value = static_cast<T>(underlying);
  }
  static void Describe(ShapeBuilder& shape) {
    Codec<Underlying>::Describe(shape);
  }
};

// Any bytes.
template <>
struct Codec<std::string> {
  static void Encode(const std::string& value, Encoder& out) {
    out.CountMemory(value.size());
    out.WriteBytes(value);
  }
  static void Decode(Decoder& in, std::string& value) {
    const absl::string_view bytes = in.ReadBytes();
    if (in.TakeMemory(bytes.size())) value.assign(bytes.data(), bytes.size());
  }
  static void Describe(ShapeBuilder& shape) { shape.Add("s"); }
};

template <>
struct Codec<absl::Cord> {
  static void Encode(const absl::Cord& value, Encoder& out) {
    out.CountMemory(value.size());
    out.WriteVarint(value.size());
    for (const absl::string_view chunk : value.Chunks()) {
      out.WriteRaw(chunk.data(), chunk.size());
    }
  }
  static void Decode(Decoder& in, absl::Cord& value) {
    const absl::string_view bytes = in.ReadBytes();
    if (in.TakeMemory(bytes.size())) value = bytes;
  }
  static void Describe(ShapeBuilder& shape) { shape.Add("s"); }
};

}  // namespace troupe

#endif  // TROUPE_CLUSTER_CODEC_INTERNAL_SCALARS_H_
