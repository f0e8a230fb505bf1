#include "troupe/registry/groups.h"

#include <memory>
#include <new>
#include <utility>

#include "absl/strings/str_cat.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/internal/cell.h"
#include "troupe/actor/internal/shared_message.h"
#include "troupe/base/log.h"
#include "troupe/base/must_have_memory.h"
#include "troupe/mailbox/mailbox.h"
#include "troupe/registry/internal/make_room.h"
#include "troupe/registry/internal/monitor_gate.h"
#include "troupe/scheduler/executor.h"

namespace troupe {
namespace {

using internal::GroupProtocol;
using internal::SharedMessage;
using internal::WrongGroupProtocol;

absl::Status NoSuchGroup(const GroupName& group) {
  return absl::NotFoundError(
      absl::StrCat("the group '", group.ToString(), "' has no members"));
}

// What `join` does, or that there is no memory for it, and nobody has joined.
template <typename F>
absl::Status OrNoMemory(const GroupName& group, F&& join) {
#ifdef __cpp_exceptions
  try {
    return std::forward<F>(join)();
  } catch (const std::bad_alloc&) {
    return absl::ResourceExhaustedError(
        absl::StrCat("no memory for members of the group '", group.ToString(),
                     "': none has joined"));
  }
#else
  (void)group;
  return std::forward<F>(join)();
#endif
}

std::vector<AnyActorRef> ToVector(absl::Span<const AnyActorRef> members) {
  return {members.begin(), members.end()};
}

GroupName ToName(GroupNameView group) {
  return {.scope = std::string(group.scope), .name = std::string(group.name)};
}

// Who does not is ending, or gone. It may begin to end at any time.
bool TakesMessages(const AnyActorRef& actor) {
  const internal::Cell& cell = *actor.cell();
  const Mailbox::Reading reading = cell.Load();
  return cell.CurrentId() == actor.id().value() &&
         Mailbox::Word::IsOpen(reading);
}

}  // namespace

Groups::Groups(ActorSystem& system)
    : system_(system),
      events_(system.Get<internal::ExtensionChannel<GroupChanged>>().channel),
      random_(system.executor().NewSeed()) {}

// -- members -----------------------------------------------------------------

absl::Status Groups::Observe(const AnyActorRef& actor) {
  if (observed_.contains(actor)) {
    if (TakesMessages(actor)) return absl::OkStatus();
    return absl::NotFoundError(absl::StrCat(actor.ToString(), " is ending"));
  }
  internal::MakeRoom(observed_, 1);
  absl::Status status = system_.ObserveEnd(actor, *this);
  if (status.ok()) observed_.insert(actor);
  return status;
}

absl::Status Groups::JoinEach(const GroupName& group,
                              const GroupProtocol& protocol, size_t count,
                              absl::FunctionRef<AnyActorRef(size_t)> member) {
  return OrNoMemory(group, [&] {
    std::vector<AnyActorRef> members(count);
    for (size_t i = 0; i < count; ++i) members[i] = member(i);
    return JoinAll(group, protocol, members);
  });
}

absl::Status Groups::JoinAll(const GroupName& group,
                             const GroupProtocol& protocol,
                             absl::Span<const AnyActorRef> members) {
  absl::Status status = CheckGroupName(group);
  if (!status.ok()) return status;
  Change([&](Table::OnChange tell) {
    status = OrNoMemory(group, [&]() -> absl::Status {
      mu_.AssertHeld();
      const GroupProtocol* const shared = shares_.Find(group);
      if (shared != nullptr && !(*shared == protocol)) {
        return WrongGroupProtocol(group, *shared, protocol);
      }
      for (const AnyActorRef& member : members) {
        absl::Status alive = Observe(member);
        if (!alive.ok()) return alive;
      }
      const auto tell_all = [&](const Table::Change& change) {
        // They have joined, and who monitors is promised to be told.
        internal::MustHaveMemory("the groups", [&] { tell(change); });
      };
      if (table_.Join(group, members, tell_all, protocol)) {
        return absl::OkStatus();
      }
      return WrongGroupProtocol(group, table_.Look(group)->attribute(),
                                protocol);
    });
  });
  return status;
}

size_t Groups::Leave(const GroupName& group,
                     absl::Span<const AnyActorRef> members) {
  size_t left = 0;
  Change([&](Table::OnChange tell) {
    mu_.AssertHeld();
    left = table_.Leave(group, members, tell);
  });
  return left;
}

size_t Groups::LeaveAll(const AnyActorRef& member) {
  size_t left = 0;
  Change([&](Table::OnChange tell) {
    mu_.AssertHeld();
    left = table_.LeaveAll(member, tell);
  });
  return left;
}

void Groups::OnActorEnd(const AnyActorRef& actor) {
  Change([&](Table::OnChange tell) {
    mu_.AssertHeld();
    observed_.erase(actor);
    monitors_.RemoveAll(actor);
    table_.LeaveAll(actor, tell);
  });
}

std::vector<std::string> Groups::ListGroups(absl::string_view scope) const {
  absl::MutexLock lock(&mu_);
  return table_.ListGroups(scope);
}

std::vector<std::string> Groups::ListScopes() const {
  absl::MutexLock lock(&mu_);
  return table_.ListScopes();
}

// -- speaking to them --------------------------------------------------------

absl::StatusOr<Groups::View> Groups::Look(const GroupName& group,
                                          const GroupProtocol& protocol) const {
  View view;
  {
    absl::MutexLock lock(&mu_);
    view = table_.Look(group);
  }
  if (view != nullptr && !view->attribute().Includes(protocol)) {
    return WrongGroupProtocol(group, view->attribute(), protocol);
  }
  return view;
}

Groups::View Groups::LookToSend(const GroupName& group,
                                const GroupProtocol& protocol) const {
  absl::StatusOr<View> view = Look(group, protocol);
  if (view.ok()) return *std::move(view);
  system_.logger().Log(LogSeverity::kError, view.status().ToString());
  return nullptr;
}

absl::StatusOr<AnyActorRef> Groups::PickAny(const GroupName& group,
                                            const GroupProtocol& protocol,
                                            GroupPick how) {
  absl::MutexLock lock(&mu_);
  const View view = table_.Look(group);
  if (view == nullptr) return NoSuchGroup(group);
  if (!view->attribute().Includes(protocol)) {
    return WrongGroupProtocol(group, view->attribute(), protocol);
  }
  absl::Span<const AnyActorRef> candidates = view->members();
  switch (how) {
    case GroupPick::kRoundRobin:
      return *table_.NextInTurn(group);
    case GroupPick::kLocalFirst:
      if (!view->local_members().empty()) candidates = view->local_members();
      break;
    case GroupPick::kRandom:
      break;
  }
  return candidates[random_.Uniform(candidates.size())];
}

absl::StatusOr<AnyActorRef> Groups::PickAnyFor(const GroupName& group,
                                               const GroupProtocol& protocol,
                                               GroupKey key) const {
  const absl::StatusOr<View> view = Look(group, protocol);
  if (!view.ok()) return view.status();
  if (*view == nullptr) return NoSuchGroup(group);
  return (*view)->members()[PickByKey((*view)->numbers(), key)];
}

// -- watching them -----------------------------------------------------------

absl::Status Groups::Monitor(const GroupRange& range,
                             const ActorRef<GroupChanged>& monitor) {
  absl::MutexLock lock(&mu_);
  absl::Status status = Observe(monitor);
  if (!status.ok()) return status;
  return internal::MustHaveMemory("a monitor of groups", [&] {
    mu_.AssertHeld();
    return BeginMonitor(range, monitor);
  });
}

absl::Status Groups::BeginMonitor(const GroupRange& range,
                                  const ActorRef<GroupChanged>& monitor) {
  internal::MonitorGate* const gate = monitors_.Add(range, monitor);
  if (gate == nullptr) return absl::OkStatus();
  const auto tell_now = [&](const GroupName& group) {
    mu_.AssertHeld();
    const View view = table_.Look(group);
    if (view == nullptr) return;
    gate->Push(SharedMessage<GroupChanged>::Make(group, view->version(),
                                                 ToVector(view->members()),
                                                 std::vector<AnyActorRef>())
                   .body());
  };
  if (range.kind() == GroupRange::Kind::kGroup) {
    tell_now(range.name());
    return absl::OkStatus();
  }
  const std::vector<std::string> scopes =
      range.kind() == GroupRange::Kind::kAll
          ? table_.ListScopes()
          : std::vector<std::string>{range.scope()};
  for (const std::string& scope : scopes) {
    for (const std::string& name : table_.ListGroups(scope)) {
      tell_now({.scope = scope, .name = name});
    }
  }
  return absl::OkStatus();
}

bool Groups::Demonitor(const GroupRange& range, const AnyActorRef& monitor) {
  absl::MutexLock lock(&mu_);
  return monitors_.Remove(range, monitor);
}

bool Groups::Tell(const Table::Change& change) {
  if (relay_ != nullptr && change.source == kLocalSource &&
      shares_.Find(change.group) != nullptr) {
    relay_->OnLocalChange(
        {change.group, change.joined, change.left, change.first_number});
  }
  const bool publish = events_.HasSubscribers();
  if (monitors_.empty() && !publish) return false;
  const std::vector<internal::MonitorGate*> gates = monitors_.Of(change.group);
  if (gates.empty() && !publish) return false;
  GroupChanged changed{ToName(change.group), change.version,
                       ToVector(change.joined), ToVector(change.left)};
  if (publish) news_.Note(changed);
  if (gates.empty()) return publish;
  // Under the lock, which makes the order of changes that of their messages.
  const auto message = SharedMessage<GroupChanged>::Make(std::move(changed));
  for (internal::MonitorGate* const gate : gates) gate->Push(message.body());
  return publish;
}

void Groups::Change(absl::FunctionRef<void(Table::OnChange)> change) {
  bool has_news = false;
  // Half a change is none.
  internal::MustHaveMemory("the groups", [&] {
    absl::MutexLock lock(&mu_);
    change([&](const Table::Change& done) {
      mu_.AssertHeld();
      has_news |= Tell(done);
    });
  });
  if (!has_news) return;
  news_.Tell([this](const GroupChanged& changed) {
    events_.Publish(changed, system_.logger());
  });
}

}  // namespace troupe
