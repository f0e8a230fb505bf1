// Codecs of containers: their number of elements, then those.
#ifndef TROUPE_CLUSTER_CODEC_INTERNAL_CONTAINERS_H_
#define TROUPE_CLUSTER_CODEC_INTERNAL_CONTAINERS_H_

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "troupe/cluster/codec/decoder.h"
#include "troupe/cluster/codec/encoder.h"
#include "troupe/cluster/codec/limits.h"
#include "troupe/cluster/codec/shape.h"

namespace troupe {
namespace internal {

// Types whose lists are written as they lie in memory.
template <typename T>
inline constexpr bool kIsRaw = ((std::integral<T> && !std::same_as<T, bool>) ||
                                std::same_as<T, std::byte> ||
                                (std::floating_point<T> &&
                                 sizeof(T) <= sizeof(double)));

template <typename T>
void DescribeRaw(ShapeBuilder& shape) {
  shape.Add(absl::StrCat("[",
                         std::floating_point<T> ? "f"
                         : std::is_signed_v<T>  ? "i"
                                                : "u",
                         sizeof(T), "]"));
}

template <typename C>
concept Container = std::default_initializable<C> && requires(const C& c) {
  typename C::value_type;
  { c.size() } -> std::convertible_to<size_t>;
  c.begin();
  c.end();
};
// Lists: vector, deque, list, absl::InlinedVector.
template <typename C>
concept Sequence = Container<C> && requires(C& c) {
  c.emplace_back();
} && !std::same_as<C, std::string>;
// Sets and maps, ordered or hashed, of single keys or several.
template <typename C>
concept Associative = Container<C> && requires {
  typename C::key_type;
};
template <typename C>
concept Map = Associative<C> && requires {
  typename C::mapped_type;
};
template <typename C>
concept Hashed = Associative<C> && requires {
  typename C::hasher;
};

// Containers whose elements are allocated one by one.
template <typename C>
concept OfNodes = Associative<C> || !requires(const C& c) {
  c[size_t{0}];
};

template <typename C>
inline constexpr size_t kElementBytes = sizeof(typename C::value_type) +
                                        (OfNodes<C> ? kMemoryPerNode : 0);

}  // namespace internal

template <internal::Sequence C>
requires(!internal::Associative<C>) struct Codec<C> {
  using T = typename C::value_type;
  static constexpr bool kIsRawVector =
      internal::kIsRaw<T> && requires(C & c, size_t size) {
    c.resize(size);
    { c.data() } -> std::same_as<T*>;
  };

  static void Encode(const C& list, Encoder& out) {
    out.WriteVarint(list.size());
    out.CountMemory(list.size() * internal::kElementBytes<C>);
    if constexpr (kIsRawVector) {
      out.WriteRaw(list.data(), list.size() * sizeof(T));
    } else {
      if (!out.Enter()) return;
      for (const auto& element : list) {
        if (!out.ok()) break;  // The rest is of no use.
        if constexpr (internal::kIsRaw<T>) {
          out.WriteFixed(element);
        } else {
          Codec<T>::Encode(element, out);
        }
      }
      out.Leave();
    }
  }
  static void Decode(Decoder& in, C& list) {
    // What its initializer put there is what it has if nothing comes.
    list.clear();
    const size_t count = in.ReadCount();
    if (!in.TakeMemory(count, internal::kElementBytes<C>)) return;
    if constexpr (kIsRawVector) {
      // What is there is checked before room is made for it.
      if (count > in.left() / sizeof(T)) {
        return in.Fail(absl::StrCat("a list of ", count, " numbers, but ",
                                    in.left(), " bytes are left"));
      }
      list.resize(count);
      in.ReadRaw(list.data(), count * sizeof(T));
    } else {
      if (!in.Enter()) return;
      if constexpr (requires { list.reserve(count); }) list.reserve(count);
      for (size_t i = 0; i < count && in.ok(); ++i) {
        if constexpr (internal::kIsRaw<T>) {
          list.emplace_back(in.ReadFixed<T>());
        } else if constexpr (std::same_as<T, bool>) {
          bool value = false;
          Codec<bool>::Decode(in, value);
          list.push_back(value);
        } else {
          Codec<T>::Decode(in, list.emplace_back());
        }
      }
      in.Leave();
    }
  }
  static void Describe(ShapeBuilder& shape) {
    if constexpr (internal::kIsRaw<T>) {
      internal::DescribeRaw<T>(shape);
    } else {
      shape.Add("[");
      shape.AddType<T>();
      shape.Add("]");
    }
  }
};

template <internal::Associative C>
struct Codec<C> {
  static void Encode(const C& elements, Encoder& out) {
    out.WriteVarint(elements.size());
    out.CountMemory(elements.size() * internal::kElementBytes<C>);
    if (!out.Enter()) return;
    for (const Value& element : elements) {
      if (IsKey(KeyOf(element))) continue;
      return out.Fail(absl::InvalidArgumentError(kNoKey));
    }
    if constexpr (internal::Hashed<C> && std::totally_ordered<Key>) {
      std::vector<const Value*> ordered;
      ordered.reserve(elements.size());
      for (const Value& element : elements) ordered.push_back(&element);
      std::sort(
          ordered.begin(), ordered.end(),
          [](const Value* a, const Value* b) { return KeyOf(*a) < KeyOf(*b); });
      for (const Value* const element : ordered) EncodeOne(*element, out);
    } else {
      for (const Value& element : elements) EncodeOne(element, out);
    }
    out.Leave();
  }
  static void Decode(Decoder& in, C& elements) {
    elements.clear();
    const size_t count = in.ReadCount();
    if (!in.TakeMemory(count, internal::kElementBytes<C>)) return;
    if (!in.Enter()) return;
    for (size_t i = 0; i < count && in.ok(); ++i) {
      Key key{};
      Codec<Key>::Decode(in, key);
      if (!IsKey(key)) in.Fail(kNoKey);
      if constexpr (internal::Map<C>) {
        typename C::mapped_type mapped{};
        Codec<typename C::mapped_type>::Decode(in, mapped);
        if (in.ok()) elements.emplace(std::move(key), std::move(mapped));
      } else {
        if (in.ok()) elements.emplace(std::move(key));
      }
    }
    in.Leave();
    if (in.ok() && elements.size() != count) {
      in.Fail("a set or map has the same key twice");
    }
  }
  static void Describe(ShapeBuilder& shape) {
    if constexpr (internal::Map<C>) {
      shape.Add("{");
      shape.AddType<Key>();
      shape.AddType<typename C::mapped_type>();
      shape.Add("}");
    } else {
      shape.Add("[");
      shape.AddType<Key>();
      shape.Add("]");
    }
  }

 private:
  using Key = typename C::key_type;
  using Value = typename C::value_type;

  static constexpr absl::string_view kNoKey =
      "a key of a set or map is not equal to itself, as what is no number";

  // Nothing that is found by its key can have such a one, and none of them can
  // be sorted.
  static bool IsKey(const Key& key) {
    if constexpr (std::equality_comparable<Key>) return key == key;
    return true;
  }
  static const Key& KeyOf(const Value& element) {
    if constexpr (internal::Map<C>) {
      return element.first;
    } else {
      return element;
    }
  }
  static void EncodeOne(const Value& element, Encoder& out) {
    if (!out.ok()) return;
    Codec<Key>::Encode(KeyOf(element), out);
    if constexpr (internal::Map<C>) {
      Codec<typename C::mapped_type>::Encode(element.second, out);
    }
  }
};

// Always of N elements, so that their number is not written.
template <typename T, size_t N>
struct Codec<std::array<T, N>> {
  static void Encode(const std::array<T, N>& list, Encoder& out) {
    if constexpr (internal::kIsRaw<T>) {
      out.WriteRaw(list.data(), N * sizeof(T));
    } else {
      for (const T& element : list) Codec<T>::Encode(element, out);
    }
  }
  static void Decode(Decoder& in, std::array<T, N>& list) {
    if constexpr (internal::kIsRaw<T>) {
      in.ReadRaw(list.data(), N * sizeof(T));
    } else {
      for (T& element : list) Codec<T>::Decode(in, element);
    }
  }
  static void Describe(ShapeBuilder& shape) {
    shape.Add(absl::StrCat("(\"", N, "\""));
    if constexpr (internal::kIsRaw<T>) {
      internal::DescribeRaw<T>(shape);
    } else {
      shape.AddType<T>();
    }
    shape.Add(")");
  }
};

}  // namespace troupe

#endif  // TROUPE_CLUSTER_CODEC_INTERNAL_CONTAINERS_H_
