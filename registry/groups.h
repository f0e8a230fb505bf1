// Groups of actors: who does the same, found and spoken to by one name.
//
//   const Group<ChatApi> lobby("lobby");
//   Groups& groups = system.Get<Groups>();
//   groups.Join(lobby, alice);                         // absl::Status
//   groups.Send<Say>(lobby, "hello");                  // To all members.
//   absl::StatusOr<ActorRef<ChatApi>> one =
//       groups.Pick(lobby, GroupPick::kRoundRobin);
//
// A group is there while it has members. An actor is a member as often as it
// has joined: it is listed, picked and sent to that often, and leaves once for
// each. It leaves all groups by itself when it ends, in one step, and before
// anybody is told of the end: who knows of it finds it nowhere.
//
// The first member brings the messages of its key; a key with others joins
// nobody, and one with a part of them reads and sends.
//
// Order: members are in the order in which they joined; lists of names are
// sorted. Messages are those of their sender, as all that it sends.
// Ownership: an extension of the system. Actors are not owned.
// Blocking: none; a lock is held for as long as a change takes. What is sent,
// and who is picked by key, is worked out without it.
// Thread safety: any thread, in handlers and outside.
// Errors: kInvalidArgument: no group can be called so, or the actor is another
// system's. kFailedPrecondition: the group takes other messages; both are
// named. kNotFound: there is no such actor, or member. kResourceExhausted:
// there is no memory for more members, and nobody has joined.
#ifndef TROUPE_REGISTRY_GROUPS_H_
#define TROUPE_REGISTRY_GROUPS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/span.h"
#include "troupe/actor/actor_ref.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/end_observer.h"
#include "troupe/actor/internal/event_hub.h"
#include "troupe/actor/internal/shared_message.h"
#include "troupe/actor/protocol.h"
#include "troupe/base/random.h"
#include "troupe/registry/group.h"
#include "troupe/registry/group_changed.h"
#include "troupe/registry/group_name.h"
#include "troupe/registry/group_pick.h"
#include "troupe/registry/group_range.h"
#include "troupe/registry/group_table.h"
#include "troupe/registry/internal/group_letter.h"
#include "troupe/registry/internal/group_monitors.h"
#include "troupe/registry/internal/group_shares.h"
#include "troupe/registry/internal/news.h"
#include "troupe/registry/internal/send_to_all.h"

namespace troupe {

class ActorSystem;
namespace internal {
class GroupSeam;
}

class Groups : public EndObserver {
 public:
  using Table = GroupTable<AnyActorRef, internal::GroupProtocol>;

  // For ActorSystem::Get().
  explicit Groups(ActorSystem& system);

  // -- members ---------------------------------------------------------------

  // All of the members join, as often as they are listed, or none does.
  template <typename... Ps>
  absl::Status Join(
      const Group<Ps...>& group,
      std::type_identity_t<absl::Span<const ActorRef<Ps...>>> members) {
    return JoinEach(group.name(), internal::GroupProtocol::Of<Ps...>(),
                    members.size(),
                    [members](size_t i) -> AnyActorRef { return members[i]; });
  }
  template <typename... Ps, typename... Qs>
  absl::Status Join(const Group<Ps...>& group, const ActorRef<Qs...>& member) {
    static_assert(internal::kIsSubset<MessagesOf<Ps...>, MessagesOf<Qs...>>,
                  "this actor does not take all messages of the group");
    const AnyActorRef ref = member;
    return JoinAll(group.name(), internal::GroupProtocol::Of<Ps...>(),
                   absl::MakeConstSpan(&ref, 1));
  }

  // Each of the members leaves once for each time it is listed, if it still is
  // a member. Returns how many did.
  size_t Leave(const GroupName& group, absl::Span<const AnyActorRef> members)
      ABSL_LOCKS_EXCLUDED(mu_);
  size_t Leave(const GroupName& group, const AnyActorRef& member) {
    return Leave(group, absl::MakeConstSpan(&member, 1));
  }
  // It leaves all groups. Returns how many memberships that ended.
  size_t LeaveAll(const AnyActorRef& member) ABSL_LOCKS_EXCLUDED(mu_);

  // Empty: there is no such group.
  template <typename... Ps>
  absl::StatusOr<std::vector<ActorRef<Ps...>>> Members(
      const Group<Ps...>& group) {
    return Listed(group, /*local=*/false);
  }
  // Those of this node.
  template <typename... Ps>
  absl::StatusOr<std::vector<ActorRef<Ps...>>> LocalMembers(
      const Group<Ps...>& group) {
    return Listed(group, /*local=*/true);
  }

  std::vector<std::string> ListGroups(absl::string_view scope = "") const
      ABSL_LOCKS_EXCLUDED(mu_);
  std::vector<std::string> ListScopes() const ABSL_LOCKS_EXCLUDED(mu_);

  // -- speaking to them ------------------------------------------------------

  // Sends M(args...) to every member: one message, which all of them read; a
  // handler that takes it by value gets a copy, and so does everybody where it
  // is small and plain data. Returns how many took it; what a member does not
  // take any more becomes a dead letter, as usual. A group that does not take
  // M: nobody, and the log says so. To members on another node one message goes
  // for all of them, and those who are members when it arrives get it.
  template <typename M, typename... Ps, typename... Args>
  size_t Send(const Group<Ps...>& group, Args&&... args) {
    static_assert(MessageOf<M, Ps...>,
                  "the members of this group do not take this message");
    const std::shared_ptr<const Table::View> view =
        LookToSend(group.name(), internal::GroupProtocol::Of<M>());
    if (view == nullptr) return 0;
    if (view->elsewhere().empty()) [[likely]]
      return internal::SendToAll<M>(view->members(),
                                    std::forward<Args>(args)...);
    const auto message =
        internal::SharedMessage<M>::Make(std::forward<Args>(args)...);
    return internal::SendSharedToAll(view->local_members(), message) +
           internal::SendLetters(group.name(), view->elsewhere(),
                                 internal::kGroupLetterType<M>, message.body());
  }

  // kNotFound: there is no such group.
  template <typename... Ps>
  absl::StatusOr<ActorRef<Ps...>> Pick(const Group<Ps...>& group,
                                       GroupPick how) {
    return Typed<Ps...>(
        PickAny(group.name(), internal::GroupProtocol::Of<Ps...>(), how));
  }
  // The one that has `key`, text or a number: always the same, as long as it is
  // a member. Others that join take some of its keys, others that leave give it
  // some; no other key moves. See group_pick.h.
  template <typename... Ps>
  absl::StatusOr<ActorRef<Ps...>> PickFor(const Group<Ps...>& group,
                                          GroupKey key) {
    return Typed<Ps...>(
        PickAnyFor(group.name(), internal::GroupProtocol::Of<Ps...>(), key));
  }

  // -- watching them ---------------------------------------------------------

  // From now on `monitor` is sent every change of these groups, whether they
  // are there already or not; first of all, what each is now, as a change from
  // nothing. No change is missed or told twice, and those of one group come in
  // the order in which they happen. They are urgent, and no mailbox refuses
  // them. Who monitors the same twice does so once.
  //
  // It ends with Demonitor(), or with the monitor. kNotFound: that has ended.
  absl::Status Monitor(const GroupRange& range,
                       const ActorRef<GroupChanged>& monitor)
      ABSL_LOCKS_EXCLUDED(mu_);
  // Nothing of that arrives any more, not even what was sent before; called by
  // others than the monitor, it may be handling a change just now. False: it
  // was not monitored.
  bool Demonitor(const GroupRange& range, const AnyActorRef& monitor)
      ABSL_LOCKS_EXCLUDED(mu_);

  void OnActorEnd(const AnyActorRef& actor) override ABSL_LOCKS_EXCLUDED(mu_);

 private:
  friend class internal::GroupSeam;
  using View = std::shared_ptr<const Table::View>;

  // As JoinAll(); `member(i)` is the i-th.
  absl::Status JoinEach(const GroupName& group,
                        const internal::GroupProtocol& protocol, size_t count,
                        absl::FunctionRef<AnyActorRef(size_t)> member)
      ABSL_LOCKS_EXCLUDED(mu_);
  absl::Status JoinAll(const GroupName& group,
                       const internal::GroupProtocol& protocol,
                       absl::Span<const AnyActorRef> members)
      ABSL_LOCKS_EXCLUDED(mu_);
  // Null: there is no such group.
  absl::StatusOr<View> Look(const GroupName& group,
                            const internal::GroupProtocol& protocol) const
      ABSL_LOCKS_EXCLUDED(mu_);
  // Null also if the group does not take that.
  View LookToSend(const GroupName& group,
                  const internal::GroupProtocol& protocol) const;
  absl::StatusOr<AnyActorRef> PickAny(const GroupName& group,
                                      const internal::GroupProtocol& protocol,
                                      GroupPick how) ABSL_LOCKS_EXCLUDED(mu_);
  absl::StatusOr<AnyActorRef> PickAnyFor(
      const GroupName& group, const internal::GroupProtocol& protocol,
      GroupKey key) const;

  template <typename... Ps>
  static absl::StatusOr<ActorRef<Ps...>> Typed(
      const absl::StatusOr<AnyActorRef>& ref) {
    if (!ref.ok()) return ref.status();
    return ActorRef<Ps...>(ref->cell(), ref->id().value());
  }
  template <typename... Ps>
  absl::StatusOr<std::vector<ActorRef<Ps...>>> Listed(const Group<Ps...>& group,
                                                      bool local) const {
    const absl::StatusOr<View> view =
        Look(group.name(), internal::GroupProtocol::Of<Ps...>());
    if (!view.ok()) return view.status();
    std::vector<ActorRef<Ps...>> refs;
    if (*view == nullptr) return refs;
    const auto members = local ? (*view)->local_members() : (*view)->members();
    refs.reserve(members.size());
    for (const AnyActorRef& member : members) {
      refs.emplace_back(member.cell(), member.id().value());
    }
    return refs;
  }

  // Runs `change(tell)` under the lock, where `tell` is what the table is given
  // to tell of its changes, and publishes these without it.
  void Change(absl::FunctionRef<void(Table::OnChange)> change)
      ABSL_LOCKS_EXCLUDED(mu_);
  absl::Status Observe(const AnyActorRef& actor)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // As Monitor(), for one that is observed.
  absl::Status BeginMonitor(const GroupRange& range,
                            const ActorRef<GroupChanged>& monitor)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Tells the monitors; returns whether there is something to publish.
  [[nodiscard]] bool Tell(const Table::Change& change)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  ActorSystem& system_;
  internal::EventChannel<GroupChanged>& events_;
  internal::News<GroupChanged> news_;  // For `events_`.

  mutable absl::Mutex mu_;
  // The table's, mutable: looking makes the copy that others share.
  mutable Table table_ ABSL_GUARDED_BY(mu_);
  internal::GroupMonitors monitors_ ABSL_GUARDED_BY(mu_);
  // Who has been a member or a monitor: their ends are told.
  absl::flat_hash_set<AnyActorRef> observed_ ABSL_GUARDED_BY(mu_);
  Random random_ ABSL_GUARDED_BY(mu_);
  // What other nodes are to know, and by whom; null: this is no node.
  internal::GroupShares<internal::GroupProtocol> shares_ ABSL_GUARDED_BY(mu_);
  internal::GroupRelay* relay_ ABSL_GUARDED_BY(mu_) = nullptr;
};

}  // namespace troupe

#endif  // TROUPE_REGISTRY_GROUPS_H_
