#include "troupe/cluster/static_membership.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "troupe/base/check.h"
#include "troupe/base/clock.h"
#include "troupe/scheduler/event.h"
#include "troupe/scheduler/post.h"

namespace troupe {

// Outlives the provider while a turn has not returned.
class StaticMembership::State : public std::enable_shared_from_this<State> {
 public:
  explicit State(Executor& executor) : executor_(executor) {}

  void SetMembers(std::vector<Member> members) ABSL_LOCKS_EXCLUDED(mu_) {
    std::sort(members.begin(), members.end(),
              [](const Member& a, const Member& b) { return a.name < b.name; });
    bool post;
    {
      absl::MutexLock lock(&mu_);
      members_ = std::move(members);
      post = Revise();
    }
    if (post) PostTurn();
  }

  absl::Status Start(Member self, std::shared_ptr<MembershipListener> listener)
      ABSL_LOCKS_EXCLUDED(mu_) {
    bool post;
    {
      absl::MutexLock lock(&mu_);
      if (listener_ != nullptr) {
        return absl::FailedPreconditionError(
            "the membership provider has been started before");
      }
      listener_ = std::move(listener);
      self_ = std::move(self);
      post = Revise();
    }
    if (post) PostTurn();
    return absl::OkStatus();
  }

  void Leave() ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    left_ = true;
  }

  void AwaitNoTurn() ABSL_LOCKS_EXCLUDED(mu_) {
    {
      absl::MutexLock lock(&mu_);
      destroyed_ = true;
      if (!in_turn_) return;
    }
    (void)executor_.WaitFor(idle_, MonotonicTime::InfiniteFuture());
    TROUPE_CHECK(idle_.IsSet(),
                 "an executor was shut down before the membership provider "
                 "that uses it");
  }

 private:
  // Makes the list anew. Returns whether a turn has to be posted.
  bool Revise() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    auto next = std::make_shared<Membership>();
    next->revision = ++revision_;
    next->members = members_;
    if (self_.has_value()) {
      const auto place = std::lower_bound(
          next->members.begin(), next->members.end(), *self_,
          [](const Member& a, const Member& b) { return a.name < b.name; });
      if (place != next->members.end() && place->name == self_->name) {
        *place = *self_;
      } else {
        next->members.insert(place, *self_);
      }
    }
    for (Member& member : next->members) {
      member.joined_at = JoinedAt(member);
    }
    newest_ = std::move(next);
    if (listener_ == nullptr || left_) return false;
    return !std::exchange(in_turn_, true);
  }

  // The revision of the first list that has this incarnation of the member,
  // with none in between that had not.
  uint64_t JoinedAt(const Member& member) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    if (newest_ != nullptr) {
      for (const Member& before : newest_->members) {
        if (before.name == member.name &&
            before.incarnation == member.incarnation) {
          return before.joined_at;
        }
      }
    }
    return revision_;
  }

  void PostTurn() {
    PostUnderLock(executor_, [state = shared_from_this()] { state->Turn(); });
  }

  void Turn() noexcept ABSL_LOCKS_EXCLUDED(mu_) {
    uint64_t told = 0;
    while (true) {
      std::shared_ptr<const Membership> to_tell;
      MembershipListener* listener;
      {
        absl::MutexLock lock(&mu_);
        if (left_ || newest_->revision == told) {
          in_turn_ = false;
          if (destroyed_) idle_.Set();
          return;
        }
        to_tell = newest_;
        listener = listener_.get();
      }
      told = to_tell->revision;
      listener->OnMembers(std::move(to_tell));
    }
  }

  Executor& executor_;
  Event idle_;  // Set when destroyed and no turn is posted or runs.
  absl::Mutex mu_;
  std::vector<Member> members_ ABSL_GUARDED_BY(mu_);  // By name.
  std::optional<Member> self_ ABSL_GUARDED_BY(mu_);
  std::shared_ptr<MembershipListener> listener_ ABSL_GUARDED_BY(mu_);
  std::shared_ptr<const Membership> newest_ ABSL_GUARDED_BY(mu_);
  uint64_t revision_ ABSL_GUARDED_BY(mu_) = 0;
  bool in_turn_ ABSL_GUARDED_BY(mu_) = false;  // Posted, or running.
  bool left_ ABSL_GUARDED_BY(mu_) = false;
  bool destroyed_ ABSL_GUARDED_BY(mu_) = false;
};

StaticMembership::StaticMembership(std::shared_ptr<State> state)
    : state_(std::move(state)) {}

absl::StatusOr<std::unique_ptr<StaticMembership>> StaticMembership::Create(
    Executor& executor, std::vector<Member> members) {
  std::unique_ptr<StaticMembership> made(
      new StaticMembership(std::make_shared<State>(executor)));
  const absl::Status status = made->SetMembers(std::move(members));
  if (!status.ok()) return status;
  return made;
}

StaticMembership::~StaticMembership() {
  state_->Leave();
  state_->AwaitNoTurn();
}

absl::Status StaticMembership::SetMembers(std::vector<Member> members) {
  const absl::Status status = ValidateMembers(members);
  if (status.ok()) state_->SetMembers(std::move(members));
  return status;
}

absl::Status StaticMembership::Start(
    Member self, std::shared_ptr<MembershipListener> listener) {
  const absl::Status status = ValidateMembers({self});
  if (!status.ok()) return status;
  return state_->Start(std::move(self), std::move(listener));
}

void StaticMembership::Leave() { state_->Leave(); }

}  // namespace troupe
