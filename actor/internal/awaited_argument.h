// Which arguments g++ 12 destroys twice when they stand in an expression that
// awaits.
#ifndef TROUPE_ACTOR_INTERNAL_AWAITED_ARGUMENT_H_
#define TROUPE_ACTOR_INTERNAL_AWAITED_ARGUMENT_H_

#include <cstddef>
#include <string_view>
#include <type_traits>

namespace troupe::internal {

// GCC before 13 (bugs 101367, 107288) destroys a temporary that was built
// without a constructor, an aggregate or a closure, once as part of the
// coroutine's frame and once more at the end of the expression.
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 13
#define TROUPE_DESTROYS_SOME_ARGUMENTS_TWICE 1

// Whether `signature` of IsClosure<T>(), "... [with T = <T>]", tells that T is
// a closure, "F()::<lambda(int)>". No trait does: in its properties a closure
// may be like any class with a call operator.
constexpr bool NamesClosure(std::string_view signature) {
  const size_t end = signature.rfind(']');
  if (end == std::string_view::npos || signature[end - 1] != '>') return false;
  // The last bracket of the name: a class template may have a closure inside.
  int open = 0;
  for (size_t i = end; i-- > 0;) {
    if (signature[i] == '>') ++open;
    if (signature[i] == '<' && --open == 0) {
      return signature.substr(i).starts_with("<lambda(");
    }
  }
  return false;
}

template <typename T>
constexpr bool IsClosure() {
  return NamesClosure(__PRETTY_FUNCTION__);
}
#endif

// Whether an argument that a forwarding reference T&& takes may be a temporary
// that this compiler destroys twice. Whoever takes arguments within an awaited
// expression refuses these:
//
//   template <typename M>
//   Awaitable Call(M&& message) {
//     static_assert(!internal::kDestroyedTwiceWhenAwaited<M>,
//                   "GCC before 13 would destroy this twice: name it, ...");
//
// True, too, for the `std::move(named)` of such a type: nothing tells the two
// apart.
template <typename T>
inline constexpr bool kDestroyedTwiceWhenAwaited =
#ifdef TROUPE_DESTROYS_SOME_ARGUMENTS_TWICE
    !std::is_lvalue_reference_v<T> &&
    !std::is_trivially_destructible_v<std::remove_reference_t<T>> &&
    (std::is_aggregate_v<std::remove_reference_t<T>> ||
     IsClosure<std::remove_cvref_t<T>>());
#else
    false;
#endif

}  // namespace troupe::internal

#endif  // TROUPE_ACTOR_INTERNAL_AWAITED_ARGUMENT_H_
