// A MembershipProvider that is told who is in the cluster: nodes that run at
// known addresses, and tests.
//
//   absl::StatusOr<std::unique_ptr<StaticMembership>> members =
//       StaticMembership::Create(system.executor(),
//                                {{.name = "a", .address = "10.0.0.1:4000"},
//                                 {.name = "b", .address = "10.0.0.2:4000"}});
//
// Whether a member runs, and as which incarnation, the list does not say. The
// node that Start() is given is a member as it says, whatever the list has of
// it.
//
// Thread safety: any thread. The listener is called in turns of the executor.
#ifndef TROUPE_CLUSTER_STATIC_MEMBERSHIP_H_
#define TROUPE_CLUSTER_STATIC_MEMBERSHIP_H_

#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "troupe/cluster/membership.h"
#include "troupe/scheduler/executor.h"

namespace troupe {

class StaticMembership final : public MembershipProvider {
 public:
  // `executor` outlives the provider, and is not shut down before.
  // kInvalidArgument: as ValidateMembers().
  static absl::StatusOr<std::unique_ptr<StaticMembership>> Create(
      Executor& executor, std::vector<Member> members);
  ~StaticMembership() override;

  // From now on these are the members. kInvalidArgument: as above; nothing has
  // changed.
  absl::Status SetMembers(std::vector<Member> members);

  absl::Status Start(Member self,
                     std::shared_ptr<MembershipListener> listener) override;
  void Leave() override;

 private:
  class State;

  explicit StaticMembership(std::shared_ptr<State> state);

  const std::shared_ptr<State> state_;
};

}  // namespace troupe

#endif  // TROUPE_CLUSTER_STATIC_MEMBERSHIP_H_
