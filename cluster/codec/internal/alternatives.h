// Codecs of what holds one thing, several, or none: optional, unique_ptr,
// variant, pair, tuple.
#ifndef TROUPE_CLUSTER_CODEC_INTERNAL_ALTERNATIVES_H_
#define TROUPE_CLUSTER_CODEC_INTERNAL_ALTERNATIVES_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <tuple>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "troupe/cluster/codec/decoder.h"
#include "troupe/cluster/codec/encoder.h"
#include "troupe/cluster/codec/internal/scalars.h"
#include "troupe/cluster/codec/shape.h"

namespace troupe {

template <typename T>
struct Codec<std::optional<T>> {
  static void Encode(const std::optional<T>& value, Encoder& out) {
    out.WriteByte(value.has_value() ? 1 : 0);
    if (value.has_value()) Codec<T>::Encode(*value, out);
  }
  static void Decode(Decoder& in, std::optional<T>& value) {
    bool has_value = false;
    Codec<bool>::Decode(in, has_value);
    value.reset();
    if (has_value) Codec<T>::Decode(in, value.emplace());
  }
  static void Describe(ShapeBuilder& shape) {
    shape.Add("?");
    shape.AddType<T>();
  }
};

// Null, or a T of its own.
template <typename T>
struct Codec<std::unique_ptr<T>> {
  static void Encode(const std::unique_ptr<T>& value, Encoder& out) {
    out.WriteByte(value != nullptr ? 1 : 0);
    if (value == nullptr || !out.Enter()) return;
    out.CountMemory(sizeof(T));
    Codec<T>::Encode(*value, out);
    out.Leave();
  }
  static void Decode(Decoder& in, std::unique_ptr<T>& value) {
    bool has_value = false;
    Codec<bool>::Decode(in, has_value);
    value.reset();
    if (!has_value || !in.TakeMemory(sizeof(T)) || !in.Enter()) return;
    value = std::make_unique<T>();
    Codec<T>::Decode(in, *value);
    in.Leave();
  }
  static void Describe(ShapeBuilder& shape) {
    shape.Add("?");
    shape.AddType<T>();
  }
};

template <>
struct Codec<std::monostate> {
  static void Encode(std::monostate, Encoder& out) { out.WriteByte(0); }
  static void Decode(Decoder& in, std::monostate&) { in.ReadByte(); }
  static void Describe(ShapeBuilder& shape) { shape.Add("()"); }
};

template <typename... Ts>
struct Codec<std::variant<Ts...>> {
  using Variant = std::variant<Ts...>;

  static void Encode(const Variant& value, Encoder& out) {
    if (value.valueless_by_exception()) {
      return out.Fail(absl::InvalidArgumentError(
          "a variant has no value: an assignment to it threw"));
    }
    out.WriteVarint(value.index());
    std::visit(
        [&out]<typename T>(const T& held) { Codec<T>::Encode(held, out); },
        value);
  }
  static void Decode(Decoder& in, Variant& value) {
    const uint64_t index = in.ReadVarint();
    if (index >= sizeof...(Ts)) {
      return in.Fail(absl::StrCat("a variant of ", sizeof...(Ts),
                                  " types has the index ", index));
    }
    DecodeAt(in, value, index, std::index_sequence_for<Ts...>());
  }
  static void Describe(ShapeBuilder& shape) {
    shape.Add("<");
    (shape.AddType<Ts>(), ...);
    shape.Add(">");
  }

 private:
  template <size_t... kIs>
  static void DecodeAt(Decoder& in, Variant& value, size_t index,
                       std::index_sequence<kIs...>) {
    ((kIs == index ? Codec<std::variant_alternative_t<kIs, Variant>>::Decode(
                         in, value.template emplace<kIs>())
                   : void()),
     ...);
  }
};

template <typename A, typename B>
struct Codec<std::pair<A, B>> {
  static void Encode(const std::pair<A, B>& value, Encoder& out) {
    Codec<A>::Encode(value.first, out);
    Codec<B>::Encode(value.second, out);
  }
  static void Decode(Decoder& in, std::pair<A, B>& value) {
    Codec<A>::Decode(in, value.first);
    Codec<B>::Decode(in, value.second);
  }
  static void Describe(ShapeBuilder& shape) {
    Codec<std::tuple<A, B>>::Describe(shape);
  }
};

// Without a length: nothing can be added at the end.
template <typename... Ts>
struct Codec<std::tuple<Ts...>> {
  static void Encode(const std::tuple<Ts...>& value, Encoder& out) {
    // Of none at all `out` would be captured in vain.
    std::apply(
        [&](const Ts&... parts) { (Codec<Ts>::Encode(parts, out), ...); },
        value);
  }
  static void Decode(Decoder& in, std::tuple<Ts...>& value) {
    std::apply([&](Ts&... parts) { (Codec<Ts>::Decode(in, parts), ...); },
               value);
  }
  static void Describe(ShapeBuilder& shape) {
    shape.Add(absl::StrCat("(\"", sizeof...(Ts), "\""));
    (shape.AddType<Ts>(), ...);
    shape.Add(")");
  }
};

}  // namespace troupe

#endif  // TROUPE_CLUSTER_CODEC_INTERNAL_ALTERNATIVES_H_
