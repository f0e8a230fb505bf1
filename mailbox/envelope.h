// An Envelope is one message in memory: a header of 24 bytes and the message
// itself, built in place behind it. A message of up to 40 bytes shares one
// cache line with its header.
//
// Ownership: whoever holds the pointer. DestroyEnvelope() ends message and
// memory; an envelope in a queue belongs to the queue. An EnvelopePtr does so
// by itself, where an envelope waits outside of a queue.
// Thread safety: none; an envelope is handed from thread to thread by the
// queues. It may be destroyed on another thread than the one that made it.
// Errors: memory that cannot be had ends in std::bad_alloc.
//
//   EnvelopePtr envelope(MakeEnvelope<Deposit>(100));  // Deposit(100)
//   if (mailbox.Push(mailbox.Load(), envelope.get()) != PushResult::kClosed) {
//     envelope.release();  // The mailbox's now.
//   }
#ifndef TROUPE_MAILBOX_ENVELOPE_H_
#define TROUPE_MAILBOX_ENVELOPE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

#include "troupe/mailbox/envelope_pool.h"
#include "troupe/mailbox/message_type.h"

namespace troupe {

// Which of a mailbox's queues an envelope belongs to, first served first.
enum class Lane : uint8_t {
  kSignal,  // Stop, kill, drain and other requests to the runtime.
  kEvent,   // What the owner's children did.
  kUrgent,  // Messages that overtake.
  kNormal,  // Messages.
  kAside,   // The same, in order with them; the owner looks at each first.
};

struct Envelope {
  Envelope* next;           // The queue's.
  const MessageType* type;  // What the payload is.
  uint32_t target;          // Low half of the receiver's id.
  Lane lane;
  uint8_t size_class;  // The pool's.
  uint16_t tag;        // Free for the sender's layer.

  void* payload() {
    return reinterpret_cast<char*>(this) + type->payload_offset;
  }
  // REQUIRES: the message is an M.
  template <typename M>
  M& As() {
    return *reinterpret_cast<M*>(reinterpret_cast<char*>(this) +
                                 MessageType::PayloadOffset(alignof(M)));
  }
  // The message if it is an M, else null.
  template <typename M>
  M* TryAs() {
    return type == &kMessageType<M> ? &As<M>() : nullptr;
  }
  // What MakeEnvelopeWithTrailer() left room for.
  void* trailer() {
    return reinterpret_cast<char*>(this) + type->trailer_offset;
  }
  // Bytes of memory that header and payload occupy, what the pool rounds up
  // included. What the payload holds elsewhere (the characters of a string) is
  // not counted.
  size_t size_bytes() const {
    return size_class < EnvelopePool::kClasses
               ? EnvelopePool::SizeOf(size_class)
               : type->payload_offset + type->size_bytes;
  }
};
static_assert(sizeof(Envelope) == MessageType::kHeaderBytes);

// The size class of an envelope for an M with so many bytes behind it.
template <typename M, size_t kTrailerBytes>
inline constexpr uint8_t kEnvelopeClass = EnvelopePool::ClassOf(
    kTrailerBytes == 0 ? MessageType::PayloadOffset(alignof(M)) + sizeof(M)
                       : kMessageType<M>.trailer_offset + kTrailerBytes);

// Builds M(args...) in an envelope of the kNormal lane, with room behind it for
// something of the sender's layer: uninitialized, aligned to 8 bytes, not
// destroyed. If the constructor throws, nothing leaks and the caller sees the
// exception.
template <typename M, size_t kTrailerBytes, typename... Args>
[[nodiscard]] inline Envelope* MakeEnvelopeWithTrailer(Args&&... args) {
  static_assert(std::is_nothrow_destructible_v<M>,
                "a message's destructor must not throw");
  static_assert(alignof(M) <= EnvelopePool::kMaxAlignment,
                "a message may be aligned to at most 64 bytes");
  constexpr size_t kOffset = MessageType::PayloadOffset(alignof(M));
  constexpr uint8_t kClass = kEnvelopeClass<M, kTrailerBytes>;
  void* memory;
  if constexpr (kClass == EnvelopePool::kOversize) {
    memory = EnvelopePool::AllocateOversize(kMessageType<M>.trailer_offset +
                                            kTrailerBytes);
  } else {
    memory = EnvelopePool::Allocate(kClass);
  }
  void* payload = static_cast<char*>(memory) + kOffset;
  if constexpr (std::is_nothrow_constructible_v<M, Args&&...>) {
    ::new (payload) M(std::forward<Args>(args)...);
  } else {
    struct Guard {
      ~Guard() {
        if (memory != nullptr) EnvelopePool::Free(memory, kClass);
      }
      void* memory;
    } guard{memory};
    ::new (payload) M(std::forward<Args>(args)...);
    guard.memory = nullptr;
  }
  return ::new (memory)
      Envelope{nullptr, &kMessageType<M>, 0, Lane::kNormal, kClass, 0};
}

// The same with nothing behind it.
template <typename M, typename... Args>
[[nodiscard]] inline Envelope* MakeEnvelope(Args&&... args) {
  return MakeEnvelopeWithTrailer<M, 0>(std::forward<Args>(args)...);
}

// Gives back the memory only: the payload is destroyed already.
inline void FreeEnvelope(Envelope* envelope) {
  EnvelopePool::Free(envelope, envelope->size_class);
}

// The same for an envelope that MakeEnvelope<M>() made.
template <typename M>
inline void FreeEnvelopeOf(Envelope* envelope) {
  EnvelopePool::Free(envelope, kEnvelopeClass<M, 0>);
}

// Destroys the payload and gives back the memory.
inline void DestroyEnvelope(Envelope* envelope) {
  const MessageType* type = envelope->type;
  if (type->destroy != nullptr) type->destroy(envelope->payload());
  FreeEnvelope(envelope);
}

struct EnvelopeDestroyer {
  void operator()(Envelope* envelope) const { DestroyEnvelope(envelope); }
};
using EnvelopePtr = std::unique_ptr<Envelope, EnvelopeDestroyer>;

}  // namespace troupe

#endif  // TROUPE_MAILBOX_ENVELOPE_H_
