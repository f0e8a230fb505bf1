// A message that several receivers get without a copy for each: one body, which
// is counted, and for each receiver an envelope that leads to it.
//
// What comes in such an envelope is an M for the receiver: it handles it as any
// other, and its name is M's. The envelope has a type of its own,
// kSharedMessageType<M>, by which dispatcher.h finds the body. The fast way
// through a mailbox does not ask for it, as that would cost every message
// something; so the envelope lies in Lane::kAside, or kUrgent, whose messages
// go the slow way (queued_turn.h).
#ifndef TROUPE_ACTOR_INTERNAL_SHARED_PAYLOAD_H_
#define TROUPE_ACTOR_INTERNAL_SHARED_PAYLOAD_H_

#include <cstdint>
#include <type_traits>
#include <utility>

#include "troupe/actor/internal/reference_count.h"
#include "troupe/base/check.h"
#include "troupe/mailbox/envelope.h"
#include "troupe/mailbox/message_type.h"

namespace troupe::internal {

// A reference to a message that does not change any more; the last one to go
// destroys it. Or null.
//
// Thread safety: a value. The message may be destroyed on any thread that had a
// reference.
// Memory ordering: what its readers did is visible to its destructor.
class SharedBody {
 public:
  SharedBody() = default;
  SharedBody(const SharedBody& other) : body_(other.body_) {
    if (body_ != nullptr) Add(*body_, 1);
  }
  SharedBody(SharedBody&& other) noexcept
      : body_(std::exchange(other.body_, nullptr)) {}
  SharedBody& operator=(SharedBody other) noexcept {
    std::swap(body_, other.body_);
    return *this;
  }
  ~SharedBody() {
    if (body_ != nullptr) Drop(*body_, 1);
  }

  // M(args...)
  template <typename M, typename... Args>
  static SharedBody Make(Args&&... args) {
    return SharedBody(
        MakeEnvelope<Counted<M>>(std::in_place, std::forward<Args>(args)...));
  }

  bool IsNull() const { return body_ == nullptr; }
  // REQUIRES: it is an M.
  template <typename M>
  const M& As() const {
    return body_->As<Counted<M>>().message;
  }

 private:
  friend class SharedBodies;

  template <typename M>
  struct Counted : ReferenceCount<> {
    template <typename... Args>
    explicit Counted(std::in_place_t, Args&&... args)
        : message(std::forward<Args>(args)...) {}
    const M message;
  };

  explicit SharedBody(Envelope* body) : body_(body) {}

  static ReferenceCount<>& ReferencesTo(Envelope& body) {
    return *static_cast<ReferenceCount<>*>(body.payload());
  }
  static void Add(Envelope& body, uint32_t references) {
    ReferencesTo(body).Add(references);
  }
  static void Drop(Envelope& body, uint32_t references) {
    if (ReferencesTo(body).Drop(references)) DestroyEnvelope(&body);
  }

  Envelope* body_ = nullptr;
};

// References that are made at once, for receivers that are known to be many:
// one locked instruction for all of them.
class SharedBodies {
 public:
  SharedBodies(const SharedBody& body, uint32_t count)
      : body_(body.body_), left_(count) {
    if (left_ > 0) SharedBody::Add(*body_, left_);
  }
  SharedBodies(const SharedBodies&) = delete;
  SharedBodies& operator=(const SharedBodies&) = delete;
  // Drops those that were not taken.
  ~SharedBodies() {
    if (left_ > 0) SharedBody::Drop(*body_, left_);
  }

  // REQUIRES: taken less than `count` times.
  SharedBody Take() {
    TROUPE_DCHECK(left_ > 0, "each reference is taken once");
    --left_;
    return SharedBody(body_);
  }

 private:
  Envelope* const body_;
  uint32_t left_;
};

// Who sends a receiver more than it has handled as yet, and keeps account of
// it: a subscription to a port. Its envelopes say so with kSourceTag, and no
// bound of a mailbox applies to them.
//
// Ownership: it lives for as long as envelopes of it are under way. Each calls
// one of the two, once.
// Thread safety: any thread; outside the seat.
class MessageSource {
 public:
  // An envelope has come to its receiver, with a message or, if the source
  // keeps its messages, without. Returns what is to be handled; null: nothing.
  virtual SharedBody Arrive(SharedBody body) = 0;
  // It will not come any more. Returns how many messages nobody will handle.
  virtual uint32_t Lose() = 0;

 protected:
  ~MessageSource() = default;
};

// What the envelope of one receiver holds.
class SharedContent {
 public:
  explicit SharedContent(SharedBody shared_body)
      : body(std::move(shared_body)) {}
  SharedContent(SharedBody shared_body, MessageSource& source)
      : body(std::move(shared_body)), source_(&source) {}
  SharedContent(SharedContent&& other) noexcept
      : body(std::move(other.body)),
        source_(std::exchange(other.source_, nullptr)) {}
  SharedContent& operator=(SharedContent&&) = delete;
  ~SharedContent() { (void)Lose(); }

  // It has come. False: there is nothing to be handled.
  [[nodiscard]] bool Arrive() {
    if (source_ != nullptr) {
      body = std::exchange(source_, nullptr)->Arrive(std::move(body));
    }
    return !body.IsNull();
  }
  // It will not be handled. Returns how many messages that are.
  uint32_t Lose() {
    return source_ != nullptr ? std::exchange(source_, nullptr)->Lose() : 1;
  }

  // Null: it has none, or has come.
  MessageSource* source() const { return source_; }

  SharedBody body;
  // Of a source's: how many envelopes had entered the queue of its receiver's
  // bounded mailbox when it was sent.
  uint32_t place = 0;

 private:
  MessageSource* source_ = nullptr;
};

struct SharedMessageType : MessageType {
  const MessageType* plain;
  // An envelope with a copy of the message, for a receiver that takes it over.
  // May throw what copying throws.
  Envelope* (*copy)(const SharedBody& body);
};

template <typename M>
constexpr SharedMessageType MakeSharedMessageType() {
  SharedMessageType type{
      kMessageType<SharedContent>, &kMessageType<M>,
      [](const SharedBody& body) { return MakeEnvelope<M>(body.As<M>()); }};
  type.name = kMessageType<M>.name;
  return type;
}

template <typename M>
inline constexpr SharedMessageType kSharedMessageType =
    MakeSharedMessageType<M>();

// An envelope for one receiver of a message of that type.
[[nodiscard]] inline Envelope* MakeSharedEnvelope(const SharedMessageType& type,
                                                  SharedBody body) {
  Envelope* const envelope = MakeEnvelope<SharedContent>(std::move(body));
  envelope->type = &type;
  envelope->lane = Lane::kAside;
  return envelope;
}
template <typename M>
[[nodiscard]] Envelope* MakeSharedEnvelope(SharedBody body) {
  return MakeSharedEnvelope(kSharedMessageType<M>, std::move(body));
}

// Envelope::tag of those that belong to a source; see reply.h for the others.
inline constexpr uint16_t kSourceTag = 64;

// The same, of a source. Null: the source keeps its messages.
[[nodiscard]] inline Envelope* MakeSourceEnvelope(const SharedMessageType& type,
                                                  SharedBody body,
                                                  MessageSource& source) {
  Envelope* const envelope =
      MakeEnvelope<SharedContent>(std::move(body), source);
  envelope->type = &type;
  envelope->lane = Lane::kAside;
  envelope->tag = kSourceTag;
  return envelope;
}

// REQUIRES of both: the envelope is one that MakeSharedEnvelope() made.
inline const SharedMessageType& SharedTypeOf(const Envelope& envelope) {
  return static_cast<const SharedMessageType&>(*envelope.type);
}
inline SharedContent& SharedContentOf(Envelope& envelope) {
  return envelope.As<SharedContent>();
}

// Whether an envelope belongs to a source.
inline bool IsOfSource(const Envelope& envelope) {
  return (envelope.tag & kSourceTag) != 0;
}

}  // namespace troupe::internal

#endif  // TROUPE_ACTOR_INTERNAL_SHARED_PAYLOAD_H_
