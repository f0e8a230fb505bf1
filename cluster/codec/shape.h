// The shape of a type on the wire, as a text: what two nodes compare before
// they believe that they mean the same type.
//
//   i, u      a number, signed or unsigned, of any width
//   i4, f8    one of a fixed width, in bytes; u1 for single bytes
//   b, s      a bool; bytes, or text
//   ?T        perhaps a T
//   [T], {KV} a list of T; pairs of K and V
//   (TUV)     an aggregate, in the order of its fields
//   <TUV>     one of these
//   @         a reference to an actor
//   ^         the aggregate within which this lies: a type that contains itself
//   "name"    a type with a codec of its own
//   ~         a type that is not compared
//
// Thread safety: values.
#ifndef TROUPE_CLUSTER_CODEC_SHAPE_H_
#define TROUPE_CLUSTER_CODEC_SHAPE_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace troupe {

template <typename T>
struct Codec;

// Puts a shape together.
class ShapeBuilder {
 public:
  void Add(absl::string_view part) { absl::StrAppend(&text_, part); }
  // The shape of a T.
  template <typename T>
  void AddType() {
    Codec<T>::Describe(*this);
  }
  // What `describe(*this)` adds for the T; "^" within itself.
  template <typename T, typename F>
  void AddOnce(F&& describe) {
    static constexpr char kIdentity = 0;
    for (const void* const outer : within_) {
      if (outer == &kIdentity) return Add("^");
    }
    within_.push_back(&kIdentity);
    describe(*this);
    within_.pop_back();
  }

  std::string Take() && { return std::move(text_); }

 private:
  std::string text_;
  std::vector<const void*> within_;
};

template <typename T>
std::string ShapeOf() {
  ShapeBuilder shape;
  shape.AddType<T>();
  return std::move(shape).Take();
}

// Whether what one node writes as the first shape can be read as the second,
// and the other way round. Aggregates agree if one has the fields of the other
// and perhaps more behind them. kFailedPrecondition: says where they differ.
// Both may be any text.
absl::Status CompareShapes(absl::string_view ours, absl::string_view theirs);

}  // namespace troupe

#endif  // TROUPE_CLUSTER_CODEC_SHAPE_H_
