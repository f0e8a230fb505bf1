// Members and monitors of groups, for tests.
#ifndef TROUPE_REGISTRY_INTERNAL_GROUP_TESTING_H_
#define TROUPE_REGISTRY_INTERNAL_GROUP_TESTING_H_

#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/protocol.h"
#include "troupe/registry/group.h"
#include "troupe/registry/group_changed.h"

namespace troupe::internal {

struct Say {
  std::string text;
};
struct Hush {};
struct ChatApi : Protocol<Say, Hush> {};

struct Heard {
  using Reply = std::vector<std::string>;
};

// Remembers what it is told.
class Guest : public Actor<ChatApi, Heard> {
 public:
  void Handle(const Say& m) { heard_.push_back(m.text); }
  void Handle(Hush) { heard_.push_back("hush"); }
  std::vector<std::string> Handle(Heard) { return heard_; }

 private:
  std::vector<std::string> heard_;
};

// What `guest` has been told until now, by the calling thread.
template <typename Ref>
std::vector<std::string> HeardBy(const Ref& guest) {
  return guest.template Call<Heard>().Wait().value();
}

struct Seen {
  using Reply = std::vector<GroupChanged>;
};

// Remembers the changes that it is told.
class Host : public Actor<GroupChanged, Seen> {
 public:
  void Handle(const GroupChanged& m) { seen_.push_back(m); }
  std::vector<GroupChanged> Handle(Seen) { return seen_; }

 private:
  std::vector<GroupChanged> seen_;
};

inline std::vector<GroupChanged> SeenBy(const Host::Ref& host) {
  return host.Call<Seen>().Wait().value();
}

}  // namespace troupe::internal

#endif  // TROUPE_REGISTRY_INTERNAL_GROUP_TESTING_H_
