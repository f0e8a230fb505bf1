// Who is in the cluster, and where: a seam, behind which lies a static list
// (static_membership.h), or what users provide. All providers pass
// membership_conformance.h.
//
//   absl::Status status = provider.Start(
//       {.name = "a", .address = "10.0.0.1:4000", .incarnation = 7}, listener);
//
// A provider joins the cluster for a node and tells it of all members, the node
// itself included: the whole list each time, so that whoever comes late or lost
// touch needs no history.
//
// Order: later lists have greater revisions; some may be left out.
// Ownership: the provider keeps the listener until it is destroyed.
// Blocking: nothing blocks, but the destructor waits for calls of the listener;
// so it is not called in one of them, nor in a turn.
// Thread safety: any thread. The listener is called by any thread, but never by
// two at once, and never from within a call of the provider; it must be brief
// and not throw, and may call the provider.
// Errors: what goes wrong after Start() is told to the listener, and the
// provider goes on trying.
#ifndef TROUPE_CLUSTER_MEMBERSHIP_H_
#define TROUPE_CLUSTER_MEMBERSHIP_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace troupe {

// A node, as its provider knows it.
struct Member {
  // No two members have the same.
  std::string name = {};
  // What Transport::Dial() takes.
  std::string address = {};
  // Of the node's process. 0: not known before the node has been talked to.
  uint64_t incarnation = 0;
  // What else the node says of itself.
  std::map<std::string, std::string> metadata = {};
  // The provider's revision at which the node joined as this incarnation: who
  // has joined later is greater. 0 where Start() is given it.
  uint64_t joined_at = 0;

  friend bool operator==(const Member&, const Member&) = default;
};

// All members at some time.
struct Membership {
  uint64_t revision = 0;
  std::vector<Member> members = {};  // In the order of their names.
};

// What has happened from one list to a later one.
struct MembershipChanges {
  // An incarnation that is followed by another one of its name has left, and
  // that one has joined.
  std::vector<Member> left = {};
  std::vector<Member> joined = {};
  // The same incarnation, with another address or other metadata.
  std::vector<Member> changed = {};
};
MembershipChanges ChangesBetween(const Membership& from, const Membership& to);

// kInvalidArgument, with what is wrong: a member has no name or no address, or
// two have the same name.
absl::Status ValidateMembers(const std::vector<Member>& members);

class MembershipListener {
 public:
  virtual ~MembershipListener() = default;

  // The list has changed, or is told for the first time.
  virtual void OnMembers(std::shared_ptr<const Membership> membership) = 0;
  // The provider has lost its source. The last list may be out of date, and
  // others may take this node for gone: what depends on being a member has to
  // cease. The next OnMembers() ends this. kAlreadyExists: another process has
  // joined by this name.
  virtual void OnLost(const absl::Status& why) = 0;
};

class MembershipProvider {
 public:
  // Leaves, if that has not been done.
  virtual ~MembershipProvider() = default;

  // Begins to join as `self`, and to tell the listener of all members. The node
  // has joined when a list has it, with its incarnation.
  // kInvalidArgument: `self` has no name or no address. kFailedPrecondition: it
  // was called before.
  virtual absl::Status Start(Member self,
                             std::shared_ptr<MembershipListener> listener) = 0;
  // Begins to leave the cluster, of which others hear. The listener is called
  // no more, but for a call that had begun. Does nothing where nothing is
  // started.
  virtual void Leave() = 0;
};

}  // namespace troupe

#endif  // TROUPE_CLUSTER_MEMBERSHIP_H_
