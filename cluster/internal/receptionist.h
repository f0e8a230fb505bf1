// The actor of each node that others ask for what has a name there, and to have
// actors started.
#ifndef TROUPE_CLUSTER_INTERNAL_RECEPTIONIST_H_
#define TROUPE_CLUSTER_INTERNAL_RECEPTIONIST_H_

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/reply_to.h"
#include "troupe/cluster/internal/asked_type.h"
#include "troupe/cluster/internal/node_core.h"
#include "troupe/cluster/internal/spawn_request.h"
#include "troupe/cluster/node_report.h"
#include "troupe/cluster/ref_codec.h"

namespace troupe::internal {

// kNotFound: nothing was exported by that name. kFailedPrecondition: it does
// not take one of the types, or takes another of that name; says which.
struct ResolveName {
  static constexpr absl::string_view kWireName = "troupe.ResolveName";
  using Reply = absl::StatusOr<AnyActorRef>;
  std::string name;
  std::vector<AskedType> types;
};

struct AskReport {
  static constexpr absl::string_view kWireName = "troupe.AskReport";
  using Reply = NodeReport;
};

// What has been exported by name. Thread-safe.
class ExportedNames {
 public:
  // kAlreadyExists: another actor has that name, and lives.
  absl::Status Add(absl::string_view name, const AnyActorRef& actor)
      ABSL_LOCKS_EXCLUDED(mu_);
  AnyActorRef Find(absl::string_view name) const ABSL_LOCKS_EXCLUDED(mu_);
  // Those whose actors live, in order.
  std::vector<std::string> All() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  mutable absl::Mutex mu_;
  std::map<std::string, AnyActorRef, std::less<>> actors_ ABSL_GUARDED_BY(mu_);
};

class Receptionist final : public Actor<ResolveName, SpawnActor, AskReport> {
 public:
  Receptionist(NodeCore& node, ExportedNames& names)
      : node_(node), names_(names) {}

  absl::StatusOr<AnyActorRef> Handle(const ResolveName& m);
  void Handle(SpawnActor m, ReplyTo<StartedActor> reply);
  NodeReport Handle(const AskReport& m);

 private:
  absl::Status Check(const SpawnActor& asked, const Factory* factory) const;

  NodeCore& node_;
  ExportedNames& names_;
};

}  // namespace troupe::internal

#endif  // TROUPE_CLUSTER_INTERNAL_RECEPTIONIST_H_
