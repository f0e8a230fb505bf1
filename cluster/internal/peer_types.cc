#include "troupe/cluster/internal/peer_types.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "troupe/cluster/codec/shape.h"
#include "troupe/cluster/internal/brief_texts.h"

namespace troupe::internal {

absl::Status PeerTypes::Add(TypeItem item) {
  if (item.number != types_.size() || types_.size() == kMaxTypes) {
    return absl::DataLossError(absl::StrCat("the type ", item.number,
                                            " is introduced as the ",
                                            types_.size(), "th"));
  }
  if (item.name.size() > kMaxTypeNameBytes) {
    return absl::DataLossError(absl::StrCat("the type ", item.number,
                                            " has a name of ", item.name.size(),
                                            " bytes"));
  }
  const size_t shape_bytes =
      std::max(item.shape.size(), item.reply_shape.size());
  if (shape_bytes > kMaxShapeBytes) {
    return absl::DataLossError(absl::StrCat(
        "the type ", item.number, " has a shape of ", shape_bytes, " bytes"));
  }
  bytes_ += item.name.size() + item.shape.size() + item.reply_shape.size();
  if (bytes_ > kMaxBytes) {
    return absl::DataLossError(absl::StrCat("the type ", item.number,
                                            " is introduced behind others: "
                                            "types of more than ",
                                            kMaxBytes, " bytes"));
  }
  types_.push_back({.name = std::move(item.name),
                    .shape = std::move(item.shape),
                    .reply_shape = std::move(item.reply_shape)});
  return absl::OkStatus();
}

PeerType* PeerTypes::Find(uint64_t number) {
  if (number >= types_.size()) return nullptr;
  PeerType& type = types_[number];
  if (type.type != nullptr) return &type;
  type.type = ours_.Find(absl::string_view(type.name));
  if (type.type != nullptr) {
    type.differs = CompareShapes(type.type->shape, type.shape);
    if (type.differs.ok() &&
        type.type->reply_shape.empty() != type.reply_shape.empty()) {
      type.differs = absl::FailedPreconditionError(
          "it is a request on one side, and none on the other");
    } else if (type.differs.ok() && !type.reply_shape.empty()) {
      type.differs = CompareShapes(type.type->reply_shape, type.reply_shape);
    }
    // It is told again and again.
    type.differs =
        absl::Status(type.differs.code(),
                     Abridged(type.differs.message(), kMaxDifferenceBytes));
  }
  return &type;
}

const WireType* PeerTypes::Same(uint64_t number, absl::Status& why) {
  const PeerType* const type = Find(number);
  if (type == nullptr || type->type == nullptr) return nullptr;
  if (type->differs.ok()) return type->type;
  why = type->differs;
  return nullptr;
}

}  // namespace troupe::internal
