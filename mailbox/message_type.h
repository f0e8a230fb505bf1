// What the runtime knows of a message's type, one constant object for each.
#ifndef TROUPE_MAILBOX_MESSAGE_TYPE_H_
#define TROUPE_MAILBOX_MESSAGE_TYPE_H_

#include <cstddef>
#include <cstdint>
#include <new>
#include <string_view>
#include <type_traits>
#include <utility>

namespace troupe {

struct MessageType {
  static constexpr size_t kHeaderBytes = 24;

  // Where a payload of that alignment begins in an envelope.
  static constexpr size_t PayloadOffset(size_t alignment) {
    return (kHeaderBytes + alignment - 1) / alignment * alignment;
  }

  // For people: logs and dead letters. Spelled as the compiler does; never a
  // name on the wire.
  std::string_view name;
  uint32_t size_bytes;
  uint32_t payload_offset;
  // Where in an envelope something may lie behind the payload.
  uint32_t trailer_offset;
  // Null if there is nothing to do.
  void (*destroy)(void* payload);
  // Move-constructs at `to` and destroys `from`; null if the type is not
  // movable.
  void (*relocate)(void* from, void* to);
};

namespace internal {

// Contains T's name, with text of the compiler's before and behind it.
template <typename T>
constexpr std::string_view NameWithFrame() {
  return __PRETTY_FUNCTION__;
}

template <typename T>
constexpr std::string_view TypeName() {
  // The frame is as long as that of a name that occurs nowhere else in it. (To
  // look for the frame's own characters would trip over `Box<';'>`.)
  constexpr std::string_view kProbe = "double";
  constexpr std::string_view kFramedProbe = NameWithFrame<double>();
  constexpr size_t kBefore = kFramedProbe.find(kProbe);
  constexpr size_t kFrame = kFramedProbe.size() - kProbe.size();
  constexpr std::string_view kFramed = NameWithFrame<T>();
  return kFramed.substr(kBefore, kFramed.size() - kFrame);
}

template <typename M>
constexpr MessageType MakeMessageType() {
  constexpr uint32_t kOffset = MessageType::PayloadOffset(alignof(M));
  MessageType type{TypeName<M>(), sizeof(M),
                   kOffset,       (kOffset + sizeof(M) + 7) / 8 * 8,
                   nullptr,       nullptr};
  if constexpr (!std::is_trivially_destructible_v<M>) {
    type.destroy = [](void* payload) { static_cast<M*>(payload)->~M(); };
  }
  if constexpr (std::is_move_constructible_v<M>) {
    type.relocate = [](void* from, void* to) {
      M* source = static_cast<M*>(from);
      ::new (to) M(std::move(*source));
      source->~M();
    };
  }
  return type;
}

}  // namespace internal

// The address is the type's identity within the process.
template <typename M>
inline constexpr MessageType kMessageType = internal::MakeMessageType<M>();

}  // namespace troupe

#endif  // TROUPE_MAILBOX_MESSAGE_TYPE_H_
