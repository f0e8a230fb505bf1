#include "troupe/cluster/protobuf/internal/parse_memory.h"

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/message.h"
#include "troupe/cluster/codec/decoder.h"
#include "troupe/cluster/codec/limits.h"

namespace troupe::internal {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

// Lists double when they are full: twice what they hold, and what they had
// before while it is moved.
constexpr size_t kGrowth = 3;
// The first array of a list.
constexpr size_t kFirstArray = 96;
constexpr size_t kPointer = kGrowth * sizeof(void*);
// A string, and what its allocation rounds up to.
constexpr size_t kString = sizeof(std::string) + 16;
// One that is not known: its place in the list, and the list once.
constexpr size_t kUnknown = kGrowth * 16;
constexpr size_t kUnknowns = 64;
// A node of a map, its place in the table, and the entry that is parsed.
constexpr size_t kMapNode = 160;
// An entry of the table of extensions.
constexpr size_t kExtension = kGrowth * 48;

enum WireKind { kVarint, kFixed64, kBytes, kGroup, kEndGroup, kFixed32 };

size_t ElementBytes(const FieldDescriptor& field) {
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      return 1;
    case FieldDescriptor::CPPTYPE_INT32:
    case FieldDescriptor::CPPTYPE_UINT32:
    case FieldDescriptor::CPPTYPE_FLOAT:
    case FieldDescriptor::CPPTYPE_ENUM:
      return 4;
    default:
      return 8;
  }
}

// How a number comes that is not in a packed list.
WireKind KindOf(const FieldDescriptor& field) {
  switch (field.type()) {
    case FieldDescriptor::TYPE_DOUBLE:
    case FieldDescriptor::TYPE_FIXED64:
    case FieldDescriptor::TYPE_SFIXED64:
      return kFixed64;
    case FieldDescriptor::TYPE_FLOAT:
    case FieldDescriptor::TYPE_FIXED32:
    case FieldDescriptor::TYPE_SFIXED32:
      return kFixed32;
    case FieldDescriptor::TYPE_STRING:
    case FieldDescriptor::TYPE_BYTES:
    case FieldDescriptor::TYPE_MESSAGE:
    case FieldDescriptor::TYPE_GROUP:
      return kBytes;
    default:
      return kVarint;
  }
}

// The fewest bytes of an element in a packed list.
size_t LeastBytes(const FieldDescriptor& field) {
  const WireKind kind = KindOf(field);
  return kind == kFixed64 ? 8 : kind == kFixed32 ? 4 : 1;
}

class Reckoning {
 public:
  size_t bytes() const { return bytes_; }

  // What a message has until `in` ends, or the group `group`; 0: none.
  // `descriptor` is null for what is not known.
  void Message(Decoder& in, const Descriptor* descriptor, uint64_t group,
               int depth) {
    if (depth > kMaxDepth) {
      return in.Fail(absl::StrCat("messages lie more than ", kMaxDepth,
                                  " deep within each other"));
    }
    bool has_unknown = false;
    uint64_t last_list = 0;
    while (!in.AtEnd()) {
      const uint64_t tag = in.ReadVarint();
      const auto kind = static_cast<WireKind>(tag & 7);
      const uint64_t number = tag >> 3;
      if (number == 0 || number > FieldDescriptor::kMaxNumber ||
          kind > kFixed32) {
        return in.Fail(absl::StrCat("no field has the tag ", tag));
      }
      if (kind == kEndGroup) {
        if (number == group) return;
        return in.Fail("the end of another group");
      }
      const FieldDescriptor* field =
          descriptor != nullptr ? Find(*descriptor, number) : nullptr;
      if (field != nullptr && field->is_repeated() && number != last_list) {
        // Who goes from list to list is charged too much.
        last_list = number;
        bytes_ += kFirstArray;
      }
      if (!Field(in, field, kind, number, depth)) {
        if (!has_unknown) bytes_ += kUnknowns;
        has_unknown = true;
      }
    }
    if (group != 0) in.Fail("a group does not end");
  }

 private:
  const FieldDescriptor* Find(const Descriptor& descriptor, uint64_t number) {
    const int field_number = static_cast<int>(number);
    if (const auto* const field = descriptor.FindFieldByNumber(field_number)) {
      return field;
    }
    if (!descriptor.IsExtensionNumber(field_number)) return nullptr;
    const FieldDescriptor* const extension =
        descriptor.file()->pool()->FindExtensionByNumber(&descriptor,
                                                         field_number);
    if (extension != nullptr) bytes_ += kExtension;
    return extension;
  }

  // False: it is not known, or not as what it comes as: it is kept as unknown.
  bool Field(Decoder& in, const FieldDescriptor* field, WireKind kind,
             uint64_t number, int depth) {
    if (field == nullptr) {
      Unknown(in, kind, number, depth);
      return false;
    }
    const bool is_message =
        field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
    if (is_message && (kind == kBytes || kind == kGroup)) {
      const Descriptor& type = *field->message_type();
      bytes_ += SizeOf(type) + kPointer;
      if (kind == kGroup) {
        Message(in, &type, number, depth + 1);
      } else {
        Decoder part(in.ReadBytes());
        Message(part, &type, /*group=*/0, depth + 1);
        if (!part.ok()) in.Fail(part.status().message());
      }
      return true;
    }
    if (kind == kBytes &&
        field->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
      bytes_ += kString + kPointer + in.ReadBytes().size();
      return true;
    }
    // A number that is not in its list, but with what is unknown.
    const size_t stray =
        field->cpp_type() == FieldDescriptor::CPPTYPE_ENUM ? kUnknown : 0;
    if (kind == kBytes && field->is_packable()) {
      const size_t count = in.ReadBytes().size() / LeastBytes(*field) + 1;
      bytes_ += count * (kGrowth * ElementBytes(*field) + stray);
      return stray == 0;
    }
    if (kind == KindOf(*field)) {
      bytes_ += field->is_repeated() ? kGrowth * ElementBytes(*field) : 0;
      bytes_ += stray;
      Skip(in, kind);
      return stray == 0;
    }
    Unknown(in, kind, number, depth);
    return false;
  }

  void Unknown(Decoder& in, WireKind kind, uint64_t number, int depth) {
    bytes_ += kUnknown;
    if (kind == kBytes) {
      bytes_ += kString + in.ReadBytes().size();
    } else if (kind == kGroup) {
      bytes_ += kUnknowns;
      Message(in, nullptr, number, depth + 1);
    } else {
      Skip(in, kind);
    }
  }

  void Skip(Decoder& in, WireKind kind) {
    if (kind == kVarint) {
      (void)in.ReadVarint();
    } else if (kind == kFixed64) {
      (void)in.ReadFixed<uint64_t>();
    } else {
      (void)in.ReadFixed<uint32_t>();
    }
  }

  static size_t SizeOf(const Descriptor& type) {
    if (type.map_value() != nullptr) {
      // Key and value lie in it, whether they come or not.
      const Descriptor* const value = type.map_value()->message_type();
      return kMapNode + (value != nullptr ? 2 * SizeOf(*value) : 0);
    }
    const google::protobuf::Message* const prototype =
        google::protobuf::MessageFactory::generated_factory()->GetPrototype(
            &type);
    // A message of another pool is none that is generated; it is large.
    return prototype != nullptr ? prototype->SpaceUsedLong() : 1024;
  }

  size_t bytes_ = 0;
};

}  // namespace

absl::StatusOr<size_t> ParseMemory(absl::string_view bytes,
                                   const Descriptor& descriptor) {
  Decoder in(bytes);
  Reckoning reckoning;
  reckoning.Message(in, &descriptor, /*group=*/0, /*depth=*/1);
  if (!in.ok()) return in.status();
  return reckoning.bytes();
}

}  // namespace troupe::internal
