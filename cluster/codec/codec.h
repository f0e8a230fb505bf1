// How a type crosses from one process to another.
//
// Without a line of code: numbers, bool, enums, strings, bytes, containers,
// optional, variant, pair, tuple, unique_ptr, times, Status and StatusOr,
// references to actors (ref_codec.h), and aggregates of all these, nested as
// they may be. A message has a name besides:
//
//   struct Deposit {
//     static constexpr absl::string_view kWireName = "bank.Deposit";
//     int64_t cents = 0;
//     std::string memo;          // Added later, at the end: see below.
//   };
//
// A type with invariants has a codec of its own:
//
//   template <>
//   struct troupe::Codec<Percent> {
//     static void Encode(const Percent& percent, Encoder& out) {
//       out.WriteByte(percent.value());
//     }
//     static void Decode(Decoder& in, Percent& percent) {
//       const uint8_t value = in.ReadByte();
//       if (value > 100) return in.Fail("it is over 100 percent");
//       percent = Percent(value);
//     }
//     static void Describe(ShapeBuilder& shape) { shape.Add("\"Percent\""); }
//   };
//
// It reads with all that is read checked: see Decoder. What it allocates on
// the word of what it reads, it asks for by TakeMemory(), and its Encode()
// counts the same by CountMemory().
//
// Changes: an aggregate may get more fields at its end. Who does not know them
// passes over them; who misses them has what their initializers say. Integers
// outside of lists may get wider or narrower: a number that does not fit is an
// error. Everything else is another type, and should have another name.
//
// Compilers: g++ 12 ends with an internal error where an aggregate within
// another one has a container that a list in braces initializes, such as
// std::vector<int> list = {7}. With std::vector<int>(1, 7) it is content.
//
// Determinism: equal values have equal bytes. Hash tables whose keys can be
// ordered are written in that order.
// Errors: see Encoder and Decoder. A decoded object after an error has some
// valid value.
// Thread safety: a node encodes and decodes on any thread, also on others than
// those of its system, but a message on one at a time. It may begin to encode a
// message, and give that up, before it encodes it.
#ifndef TROUPE_CLUSTER_CODEC_CODEC_H_
#define TROUPE_CLUSTER_CODEC_CODEC_H_

#include <concepts>
#include <type_traits>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "troupe/cluster/codec/decoder.h"
#include "troupe/cluster/codec/encoder.h"
#include "troupe/cluster/codec/internal/aggregates.h"
#include "troupe/cluster/codec/internal/alternatives.h"
#include "troupe/cluster/codec/internal/containers.h"
#include "troupe/cluster/codec/internal/scalars.h"
#include "troupe/cluster/codec/internal/statuses.h"
#include "troupe/cluster/codec/internal/times.h"
#include "troupe/cluster/codec/shape.h"

namespace troupe {

template <typename T>
concept Encodable = std::default_initializable<T> &&
    requires(const T& value, T& to, Encoder& out, Decoder& in,
             ShapeBuilder& shape) {
  Codec<T>::Encode(value, out);
  Codec<T>::Decode(in, to);
  Codec<T>::Describe(shape);
};

// Appends a whole message to `out`.
template <typename T>
void Encode(const T& value, Encoder& out) {
  static_assert(Encodable<T>,
                "this type cannot cross: it is no aggregate, and has no "
                "Codec<T>; see cluster/codec/codec.h");
  out.CountMemory(sizeof(T));
  Codec<T>::Encode(value, out);
  out.PadForMemory();
}

// Reads a whole message into `value`. Says what is wrong.
template <typename T>
absl::Status Decode(Decoder& in, T& value) {
  static_assert(Encodable<T>,
                "this type cannot cross: it is no aggregate, and has no "
                "Codec<T>; see cluster/codec/codec.h");
  if (in.TakeMemory(sizeof(T))) Codec<T>::Decode(in, value);
  return in.status();
}

// The name of a message on the wire: of the whole cluster, and for ever. For a
// type that cannot be edited:
//
//   template <>
//   inline constexpr absl::string_view troupe::kWireName<other::Tick> =
//       "other.Tick";
template <typename M>
inline constexpr absl::string_view kWireName = {};
template <typename M>
requires requires {
  { M::kWireName } -> std::convertible_to<absl::string_view>;
}
inline constexpr absl::string_view kWireName<M> = M::kWireName;

// The same for types whose name is known only when the program runs: what a
// family of types specializes.
template <typename M>
struct WireName {
  static constexpr bool kHasOne = !kWireName<M>.empty();
  // Stays as long as the process.
  static absl::string_view Get() { return kWireName<M>; }
};

}  // namespace troupe

#endif  // TROUPE_CLUSTER_CODEC_CODEC_H_
