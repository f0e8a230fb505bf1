#include "troupe/cluster/node_report.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "troupe/actor/actor_ref.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/cluster/internal/receptionist.h"
#include "troupe/cluster/node.h"

namespace troupe {
namespace {

absl::StatusOr<ActorRef<internal::AskReport>> WhomToAsk(
    Node& node, absl::string_view name) {
  const std::string path = absl::StrCat("report@", name);
  absl::string_view unused;
  const absl::StatusOr<AnyActorRef> receptionist =
      node.core().ReceptionistFor(path, unused);
  if (!receptionist.ok()) return receptionist.status();
  return ActorRef<internal::AskReport>(receptionist->cell(),
                                       receptionist->id().value());
}

}  // namespace

std::string NodeReport::ToString() const {
  return absl::StrCat(name, ": ", actors, " actors, ", exposed,
                      " of them exposed, ", dead_letters,
                      " dead letters; peers: ", absl::StrJoin(peers, ", "),
                      "; names: ", absl::StrJoin(names, ", "));
}

Task<absl::StatusOr<NodeReport>> ReportOf(Node& node, std::string name) {
  const auto whom = WhomToAsk(node, name);
  if (!whom.ok()) co_return whom.status();
  co_return co_await whom->Call<internal::AskReport>();
}

absl::StatusOr<NodeReport> ReportOfAndWait(Node& node, const std::string& name,
                                           absl::Duration timeout) {
  const auto whom = WhomToAsk(node, name);
  if (!whom.ok()) return whom.status();
  return whom->Call<internal::AskReport>().Within(timeout).Wait();
}

}  // namespace troupe
