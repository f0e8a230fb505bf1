// The codec of aggregates: their fields in order, behind their length.
#ifndef TROUPE_CLUSTER_CODEC_INTERNAL_AGGREGATES_H_
#define TROUPE_CLUSTER_CODEC_INTERNAL_AGGREGATES_H_

#include <cstddef>
#include <type_traits>
#include <utility>

#include "boost/pfr/core.hpp"
#include "troupe/cluster/codec/decoder.h"
#include "troupe/cluster/codec/encoder.h"
#include "troupe/cluster/codec/shape.h"

namespace troupe {

template <typename T>
requires(std::is_aggregate_v<T>&& std::is_class_v<T>) struct Codec<T> {
  static void Encode(const T& value, Encoder& out) {
    out.WriteSized([&value](Encoder& fields) {
      boost::pfr::for_each_field(value, [&fields]<typename F>(const F& field) {
        Codec<F>::Encode(field, fields);
      });
    });
  }
  static void Decode(Decoder& in, T& value) {
    in.ReadSized([&value](Decoder& fields) {
      boost::pfr::for_each_field(value, [&fields]<typename F>(F& field) {
        // An older sender has no more fields.
        if (!fields.AtEnd()) Codec<F>::Decode(fields, field);
      });
    });
  }
  static void Describe(ShapeBuilder& shape) {
    shape.AddOnce<T>([](ShapeBuilder& fields) {
      fields.Add("(");
      AddFields(fields,
                std::make_index_sequence<boost::pfr::tuple_size_v<T>>());
      fields.Add(")");
    });
  }

 private:
  template <size_t... kIs>
  static void AddFields(ShapeBuilder& fields, std::index_sequence<kIs...>) {
    (fields.AddType<boost::pfr::tuple_element_t<kIs, T>>(), ...);
  }
};

}  // namespace troupe

#endif  // TROUPE_CLUSTER_CODEC_INTERNAL_AGGREGATES_H_
