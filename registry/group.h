// Group<P...> is the key of a group of actors that take the messages of P...:
// its name, and what can be said to its members.
//
//   const Group<ChatApi> lobby("lobby");
//   const Group<ChatApi> sales({.scope = "sales", .name = "lobby"});
//
// What does not fit, an actor that does not take these messages or a message
// that is none of them, does not compile. As with ActorRef, protocols or single
// messages may be named, and a key converts to one of a subset.
//
// Thread safety: a value.
#ifndef TROUPE_REGISTRY_GROUP_H_
#define TROUPE_REGISTRY_GROUP_H_

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/protocol.h"
#include "troupe/mailbox/message_type.h"
#include "troupe/registry/group_name.h"

namespace troupe {

template <typename... Ps>
class Group {
 public:
  using Messages = MessagesOf<Ps...>;

  explicit Group(absl::string_view name) : name_{"", std::string(name)} {}
  explicit Group(GroupName name) : name_(std::move(name)) {}

  // Of a group whose members take all of these messages.
  template <typename... Qs>
  requires internal::kIsSubset<Messages, MessagesOf<Qs...>>
  // NOLINTNEXTLINE(google-explicit-constructor)
  Group(const Group<Qs...>& other) : name_(other.name()) {}

  const GroupName& name() const { return name_; }
  // Where it does not matter what its members take.
  // NOLINTNEXTLINE(google-explicit-constructor)
  operator const GroupName&() const { return name_; }
  std::string ToString() const { return name_.ToString(); }

 private:
  GroupName name_;
};

namespace internal {

// The messages that all members of a group take.
class GroupProtocol {
 public:
  GroupProtocol() = default;
  explicit GroupProtocol(absl::Span<const MessageType* const> messages)
      : messages_(messages) {}
  template <typename... Ps>
  static GroupProtocol Of() {
    return GroupProtocol(kMessageTypes<MessagesOf<Ps...>>);
  }

  bool Includes(const GroupProtocol& other) const;
  friend bool operator==(const GroupProtocol& a, const GroupProtocol& b) {
    return a.messages_.size() == b.messages_.size() && a.Includes(b);
  }

  // Such as "{Say, Leave}".
  std::string ToString() const;

 private:
  // An array that lives as long as the process.
  absl::Span<const MessageType* const> messages_;
};

absl::Status WrongGroupProtocol(const GroupName& group,
                                const GroupProtocol& has,
                                const GroupProtocol& wanted);

}  // namespace internal
}  // namespace troupe

#endif  // TROUPE_REGISTRY_GROUP_H_
