// Requests: messages that are answered. A request names its answer:
//
//   struct Balance { using Reply = int64_t; };
//
// or, where its type cannot be edited, a specialization does:
//
//   template <> struct troupe::ReplyOf<legacy::Query> { using type = Rows; };
//
// `Reply = void` is an acknowledgement. A reply's move should not throw: within
// an absl::StatusOr, which takes it for granted, that ends the process.
#ifndef TROUPE_ACTOR_REPLY_OF_H_
#define TROUPE_ACTOR_REPLY_OF_H_

#include <type_traits>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace troupe {

template <typename M>
struct ReplyOf {};
template <typename M>
requires requires { typename M::Reply; }
struct ReplyOf<M> {
  using type = typename M::Reply;
};

// A message with an answer.
template <typename M>
concept RequestType = requires {
  typename ReplyOf<M>::type;
};

namespace internal {

template <typename R>
struct OutcomeOfReply {
  static_assert(std::is_object_v<R> && std::is_nothrow_destructible_v<R> &&
                    std::is_move_constructible_v<R>,
                "a reply can be moved, and its destructor does not throw");
  using type = absl::StatusOr<R>;
};
template <>
struct OutcomeOfReply<void> {
  using type = absl::Status;
};
template <>
struct OutcomeOfReply<absl::Status> {
  using type = absl::Status;
};
template <typename T>
struct OutcomeOfReply<absl::StatusOr<T>> {
  using type = absl::StatusOr<T>;
};

}  // namespace internal

// What a call of M yields: absl::Status if the reply is void or absl::Status,
// else absl::StatusOr of the reply, flat.
template <RequestType M>
using OutcomeOf =
    typename internal::OutcomeOfReply<typename ReplyOf<M>::type>::type;

}  // namespace troupe

#endif  // TROUPE_ACTOR_REPLY_OF_H_
