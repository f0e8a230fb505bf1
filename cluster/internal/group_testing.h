// What tests of groups across nodes have in common.
#ifndef TROUPE_CLUSTER_INTERNAL_GROUP_TESTING_H_
#define TROUPE_CLUSTER_INTERNAL_GROUP_TESTING_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/events.h"
#include "troupe/actor/protocol.h"
#include "troupe/cluster/ref_codec.h"
#include "troupe/registry/group.h"
#include "troupe/registry/group_changed.h"
#include "troupe/registry/groups.h"

namespace troupe::internal {

struct Shout {
  static constexpr absl::string_view kWireName = "test.Shout";
  std::string text;
};
struct Whisper {
  static constexpr absl::string_view kWireName = "test.Whisper";
  int64_t number = 0;
};
struct Overheard {
  static constexpr absl::string_view kWireName = "test.Overheard";
  using Reply = std::vector<std::string>;
};
struct TalkApi : Protocol<Shout, Whisper> {};

// Remembers what it is told.
class Talker : public Actor<TalkApi, Overheard> {
 public:
  void Handle(const Shout& m) { heard_.push_back(m.text); }
  void Handle(Whisper m) { heard_.push_back(std::to_string(m.number)); }
  std::vector<std::string> Handle(Overheard) { return heard_; }

 private:
  std::vector<std::string> heard_;
};

// Waits for what becomes of the groups of a system, whoever changes them.
class GroupWatch {
 public:
  explicit GroupWatch(ActorSystem& system)
      : groups_(system.Get<Groups>()),
        changes_(system.Subscribe<GroupChanged>([this](const GroupChanged&) {
          absl::MutexLock lock(&mu_);
          ++seen_;
        })) {}

  template <typename... Ps>
  void AwaitMembers(const Group<Ps...>& group, size_t count) {
    const auto so = [&] {
      mu_.AssertHeld();
      return groups_.Members(group).value().size() == count;
    };
    absl::MutexLock lock(&mu_);
    while (!so()) {
      const uint64_t before = seen_;
      const auto changed = [&] {
        mu_.AssertReaderHeld();
        return seen_ != before;
      };
      // What had changed before the look was told before, or will be.
      mu_.Await(absl::Condition(&changed));
    }
  }
  Groups& groups() { return groups_; }

 private:
  Groups& groups_;
  absl::Mutex mu_;
  uint64_t seen_ ABSL_GUARDED_BY(mu_) = 0;
  Subscription changes_;
};

}  // namespace troupe::internal

#endif  // TROUPE_CLUSTER_INTERNAL_GROUP_TESTING_H_
