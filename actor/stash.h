// A Stash is where an actor sets messages aside that it cannot handle yet, to
// get them back when it can.
//
//   class Store : public troupe::Actor<Get, Loaded> {
//    public:
//     void Handle(Get m, troupe::ReplyTo<Value> reply) {
//       if (!loaded_) {
//         absl::Status kept = stash_.Put(std::move(m), std::move(reply));
//         if (!kept.ok()) reply.Send(kept);  // It is full.
//         return;
//       }
//       reply.Send(values_.at(m.key));
//     }
//     void Handle(Loaded m) {
//       loaded_ = true;
//       stash_.Unstash();
//     }
//
//    private:
//     troupe::Stash<Get> stash_{this, 1000};
//   };
//
// Messages are moved, never copied. A request is set aside with its ReplyTo,
// so its caller goes on waiting: its deadline and its cancellation stay what
// they are, and a request that nobody waits for any more is dropped, as a dead
// letter, when it comes back.
//
// Order: what comes back does so before the messages that wait in the mailbox,
// in the order in which it was set aside. Nothing is promised between two
// stashes of an actor.
// Bounds: Unstash() ends the turn, and what came back is handled in later ones,
// each of which is bounded as ever. An actor that sets aside again all that it
// gets back keeps others waiting for no longer than its turns take.
// Ownership: its messages. A stash that goes gives them back. When its actor
// ends they become dead letters and their callers hear of it, as with what
// waits in the mailbox; a drain does not wait for what is not back by then. An
// actor that is started again begins with an empty stash.
// Blocking: no call blocks.
// Thread safety: belongs to its actor's handlers and hooks, from PreStart on.
#ifndef TROUPE_ACTOR_STASH_H_
#define TROUPE_ACTOR_STASH_H_

#include <cstddef>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "troupe/actor/internal/actor_base.h"
#include "troupe/actor/internal/build.h"
#include "troupe/actor/internal/reply.h"
#include "troupe/actor/protocol.h"
#include "troupe/actor/reply_of.h"
#include "troupe/actor/reply_to.h"
#include "troupe/mailbox/envelope.h"
#include "troupe/mailbox/envelope_list.h"

namespace troupe {

template <typename... Ps>
class Actor;

namespace internal {

// What a Stash is apart from the types of its messages.
class StashBase {
 public:
  StashBase(const StashBase&) = delete;
  StashBase& operator=(const StashBase&) = delete;

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  size_t capacity() const { return capacity_; }

  // Gives all messages back to the mailbox.
  void Unstash();

 protected:
  StashBase(const ActorBase& actor, size_t capacity)
      : actor_(actor), capacity_(capacity) {}
  ~StashBase() { Unstash(); }

  // Whether there is room for one more. After that, Keep() cannot fail.
  absl::Status MakeRoom();
  // Takes the envelope over.
  void Keep(Envelope* envelope);

 private:
  friend class Stashes;

  const ActorBase& actor_;
  const size_t capacity_;
  size_t size_ = 0;
  EnvelopeRing messages_;
  StashBase* next_ = nullptr;  // Of the actor's that hold something.
};

}  // namespace internal

// For messages, or protocols, `Ps`, which its actor must handle.
template <typename... Ps>
class Stash : public internal::StashBase {
 public:
  using Messages = MessagesOf<Ps...>;

  // A member of its actor, for up to `capacity` messages.
  template <typename... Qs>
  Stash(const Actor<Qs...>* actor, size_t capacity)
      : StashBase(*actor, capacity) {
    static_assert(internal::kIsSubset<Messages, MessagesOf<Qs...>>,
                  "a stash takes messages that its actor handles: one of these "
                  "is in none of its protocols");
  }

  // Sets a message aside.
  //
  // Errors: then the message is as it was, and the handler's.
  // kResourceExhausted: the stash is full. kFailedPrecondition: the actor is
  // ending.
  template <typename M>
  [[nodiscard]] absl::Status Put(M&& message) {
    CheckPut<M>();
    static_assert(!RequestType<M>,
                  "a request is set aside with the duty to answer it: its "
                  "handler takes a ReplyTo, and gives it to Put() as well");
    absl::Status room = MakeRoom();
    if (room.ok()) Keep(internal::MakeMessage<M>(std::move(message)));
    return room;
  }
  // Sets a request aside. If that fails, the duty to answer is the handler's
  // still, too.
  template <typename M>
  [[nodiscard]] absl::Status Put(M&& request,
                                 ReplyTo<typename ReplyOf<M>::type>&& reply) {
    CheckPut<M>();
    absl::Status room = MakeRoom();
    if (!room.ok()) return room;
    Envelope* const envelope = internal::MakeMessage<M>(std::move(request));
    reply.duty().MoveTo(internal::InfoOf<M>(*envelope));
    Keep(envelope);
    return room;
  }

 private:
  template <typename M>
  static constexpr void CheckPut() {
    static_assert(!std::is_reference_v<M> && !std::is_const_v<M>,
                  "a message is moved into a stash: Put(std::move(m))");
    static_assert(internal::kListContains<Messages, M>,
                  "this stash does not take this message");
  }
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_STASH_H_
