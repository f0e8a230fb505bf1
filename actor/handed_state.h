// What an actor hands on when it ends: a value whose type is known to who gave
// it and to who takes it, and to nobody between.
//
//   class Counter : public troupe::Actor<Add> {
//    public:
//     int64_t TakeState() && { return sum_; }  // At a graceful end.
//     ...
//   };
//   void Parent::OnChild(const ChildEvent& event) {
//     if (std::optional<int64_t> sum = event.state.Take<int64_t>()) Keep(*sum);
//   }
//
// Ownership: of the value, shared by the copies; the first to take it has it.
// Thread safety: none.
#ifndef TROUPE_ACTOR_HANDED_STATE_H_
#define TROUPE_ACTOR_HANDED_STATE_H_

#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "troupe/mailbox/message_type.h"

namespace troupe {

class HandedState {
 public:
  // Nothing was handed on.
  HandedState() = default;
  template <typename T>
  requires(!std::is_same_v<std::remove_cvref_t<T>,
                           HandedState>) explicit HandedState(T&& value)
      : box_(std::make_shared<Typed<std::remove_cvref_t<T>>>(
            std::forward<T>(value))) {}

  // Whether there is nothing to take, or it was taken.
  bool IsEmpty() const { return box_ == nullptr || box_->type == nullptr; }

  // The value, if it is exactly a T, and has not been taken before.
  template <typename T>
  std::optional<T> Take() const {
    if (IsEmpty() || box_->type != &kMessageType<T>) {
      return std::nullopt;
    }
    box_->type = nullptr;
    // Nothing stays, not even one that was moved from.
    return std::exchange(static_cast<Typed<T>&>(*box_).value, std::nullopt);
  }

 private:
  struct Box {
    const MessageType* type;  // Null: taken.
  };
  template <typename T>
  struct Typed : Box {
    template <typename U>
    explicit Typed(U&& given)
        : Box{&kMessageType<T>}, value(std::forward<U>(given)) {}
    std::optional<T> value;
  };

  std::shared_ptr<Box> box_;
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_HANDED_STATE_H_
