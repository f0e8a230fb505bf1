// From an envelope to the handler for its type. A message that several
// receivers share has a type of its own, looked for where none of the actor's
// own fits.
#ifndef TROUPE_ACTOR_INTERNAL_DISPATCHER_H_
#define TROUPE_ACTOR_INTERNAL_DISPATCHER_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>

#include "troupe/actor/internal/cell.h"
#include "troupe/actor/internal/dispatch.h"
#include "troupe/actor/internal/shared_payload.h"
#include "troupe/actor/protocol.h"
#include "troupe/actor/reply_of.h"
#include "troupe/mailbox/envelope.h"
#include "troupe/mailbox/message_type.h"

namespace troupe::internal {

// Finds the handler for an envelope: by comparing one type after the other
// while there are few, by binary search over the types' addresses beyond.
template <typename A, typename List>
struct Dispatcher;

template <typename A, typename... Ms>
struct Dispatcher<A, TypeList<Ms...>> {
  static constexpr size_t kMaxLinear = 8;

  // A message of the actor's own. The fast way: knows no others, and returns
  // from user code. False: the seat is lost.
  [[gnu::always_inline]] static bool DeliverAndReturn(Cell& cell, A& actor,
                                                      Envelope* envelope) {
    if constexpr (sizeof...(Ms) > kMaxLinear) {
      Find(envelope->type)->handle(cell, actor, envelope);
      return ReturnFromUserCode();
    } else if constexpr ((kAnswersAndReturns<A, Ms> || ...)) {
      bool keeps_seat = true;
      const bool found =
          ((envelope->type == &kMessageType<Ms>
                ? (keeps_seat = HandleAndReturn<A, Ms>(cell, actor, envelope),
                   true)
                : false) ||
           ...);
      if (!found) [[unlikely]]
        __builtin_unreachable();
      return keeps_seat;
    } else {
      bool handled = true;
      if (!DeliverOwned(cell, actor, envelope, handled)) [[unlikely]]
        __builtin_unreachable();
      return ReturnFromUserCode();
    }
  }

  // The same, or one that is shared; does not return from user code. False: it
  // failed.
  static bool DeliverAny(Cell& cell, A& actor, Envelope* envelope) {
    if constexpr (sizeof...(Ms) <= kMaxLinear) {
      bool handled = true;
      return DeliverOwned(cell, actor, envelope, handled)
                 ? handled
                 : DeliverShared(cell, actor, envelope);
    } else {
      const Entry* const entry = Find(envelope->type);
      return entry->type == envelope->type
                 ? entry->handle(cell, actor, envelope)
                 : DeliverShared(cell, actor, envelope);
    }
  }

 private:
  using Handle = bool (*)(Cell&, A&, Envelope*) noexcept;
  struct Entry {
    const MessageType* type;
    Handle handle;
    Handle handle_shared;  // Null for a request, which has one receiver.
  };
  // Has an end, which is of no type.
  using Table = std::array<Entry, sizeof...(Ms) + 1>;

  // False: it is none of the actor's own.
  [[gnu::always_inline]] static bool DeliverOwned(Cell& cell, A& actor,
                                                  Envelope* envelope,
                                                  bool& handled) {
    return ((envelope->type == &kMessageType<Ms>
                 ? (handled = HandleOne<A, Ms>(cell, actor, envelope), true)
                 : false) ||
            ...);
  }

  static bool DeliverShared(Cell& cell, A& actor, Envelope* envelope) {
    if (!SharedContentOf(*envelope).Arrive()) {
      DestroyEnvelope(envelope);
      return true;
    }
    if constexpr ((RequestType<Ms> && ...)) {
      __builtin_unreachable();
    } else if constexpr (sizeof...(Ms) <= kMaxLinear) {
      const MessageType* const type = SharedTypeOf(*envelope).plain;
      bool handled = true;
      const bool found =
          (DeliverIfShared<Ms>(type, cell, actor, envelope, handled) || ...);
      if (!found) [[unlikely]]
        __builtin_unreachable();
      return handled;
    } else {
      return Find(SharedTypeOf(*envelope).plain)
          ->handle_shared(cell, actor, envelope);
    }
  }
  template <typename M>
  static bool DeliverIfShared(const MessageType* type, Cell& cell, A& actor,
                              Envelope* envelope, bool& handled) {
    if constexpr (RequestType<M>) {
      return false;
    } else {
      if (type != &kMessageType<M>) return false;
      handled = HandleShared<A, M>(cell, actor, envelope);
      return true;
    }
  }

  // If none is of that type: some other entry.
  static const Entry* Find(const MessageType* type) {
    static const Table table = MakeTable();
    return std::lower_bound(
        table.begin(), table.end() - 1, type,
        [](const Entry& candidate, const MessageType* wanted) {
          return std::less<>()(candidate.type, wanted);
        });
  }

  template <typename M>
  static constexpr Entry EntryFor() {
    Entry entry{&kMessageType<M>,
                [](Cell& cell, A& actor, Envelope* envelope) noexcept {
                  return HandleOne<A, M>(cell, actor, envelope);
                },
                nullptr};
    if constexpr (!RequestType<M>) entry.handle_shared = &HandleShared<A, M>;
    return entry;
  }
  static Table MakeTable() {
    Table table{EntryFor<Ms>()..., Entry{nullptr, nullptr, nullptr}};
    std::sort(table.begin(), table.end() - 1,
              [](const Entry& a, const Entry& b) {
                return std::less<>()(a.type, b.type);
              });
    return table;
  }
};

}  // namespace troupe::internal

#endif  // TROUPE_ACTOR_INTERNAL_DISPATCHER_H_
