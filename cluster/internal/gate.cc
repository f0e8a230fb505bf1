#include "troupe/cluster/internal/gate.h"

#include "absl/strings/str_cat.h"
#include "troupe/actor/actor_system.h"
#include "troupe/cluster/internal/brief_texts.h"
#include "troupe/cluster/internal/receptionist.h"
#include "troupe/cluster/internal/spawn_request.h"
#include "troupe/cluster/internal/targets.h"

namespace troupe::internal {
namespace {

// As in the code that would allow it.
absl::string_view VerbConstant(Verb verb) {
  switch (verb) {
    case Verb::kSend:
      return "kSend";
    case Verb::kCall:
      return "kCall";
    case Verb::kWatch:
      return "kWatch";
    case Verb::kStop:
      return "kStop";
    case Verb::kKill:
      return "kKill";
    case Verb::kSpawn:
      return "kSpawn";
    case Verb::kIntrospect:
      return "kIntrospect";
  }
  return "?";
}

// What whoever resolves a name means to do with it, by the messages.
std::string VerbsFor(const ResolveName& resolve) {
  bool sends = false;
  bool calls = false;
  for (const AskedType& type : resolve.types) {
    (type.reply_shape.empty() ? sends : calls) = true;
  }
  if (!calls) return "Verb::kSend";
  return sends ? "Verb::kSend, Verb::kCall" : "Verb::kCall";
}

}  // namespace

Gate::Gate(NodeCore& node, const FarCell& peer)
    : node_(node),
      peer_(peer),
      receptionist_(node.receptionist().id().value()),
      role_(node.authorization().RoleOf(peer.node())) {
  for (int verb = 0; verb < kVerbCount; ++verb) {
    all_[static_cast<size_t>(verb)] =
        node.authorization().AllowsAll(role_, static_cast<Verb>(verb));
  }
}

absl::Status Gate::CheckTarget(Verb verb, uint64_t id) {
  if (id == receptionist_) {
    // It answers everybody, as far as each of its requests allows.
    if (verb == Verb::kSend || verb == Verb::kCall) return absl::OkStatus();
    return absl::PermissionDeniedError(
        absl::StrCat("'", peer_.node(), "' may not ", VerbName(verb),
                     " the receptionist of '", node_.self().name,
                     "': nobody may, it ends with its node"));
  }
  const Targets::Target target = node_.targets().Find(id);
  if (target.starter == peer_.node()) return absl::OkStatus();
  if (target.names.empty()) {
    if (node_.authorization().Allows(role_, verb, "")) return absl::OkStatus();
    return Refuse(verb, "", absl::StrCat("actor #", id, " (without a name)"));
  }
  for (const std::string& name : target.names) {
    if (node_.authorization().Allows(role_, verb, name)) {
      return absl::OkStatus();
    }
  }
  const std::string& name = target.names.front();
  return Refuse(verb, name, absl::StrCat("'", name, "'"));
}

absl::Status Gate::CheckTypedMessage(Verb verb, uint64_t id,
                                     absl::string_view type) {
  // Whether the peer may say that, no rule decides: see CheckContent().
  if (type == RemoteEnd::kWireName) return absl::OkStatus();
  return CheckTarget(verb, id);
}

absl::Status Gate::CheckEnd(uint64_t id) {
  if (node_.targets().Find(id).teller == peer_.node()) return absl::OkStatus();
  return absl::PermissionDeniedError(
      absl::StrCat("'", peer_.node(), "' has started nothing for actor #", id,
                   " of '", node_.self().name, "' of whose end it could tell"));
}

absl::Status Gate::CheckRequest(Envelope& message) {
  if (auto* const spawn = message.TryAs<SpawnActor>()) {
    spawn->asker = peer_.node();
    return CheckName(Verb::kSpawn, spawn->factory);
  }
  if (message.TryAs<AskReport>() != nullptr) {
    return CheckName(Verb::kIntrospect, "");
  }
  const auto* const resolve = message.TryAs<ResolveName>();
  if (resolve == nullptr ||
      node_.authorization().AllowsToKnow(role_, resolve->name)) {
    return absl::OkStatus();
  }
  // Also of what is not there: else that would tell.
  const std::string name = InWords(resolve->name);
  return Refuse("resolve", VerbsFor(*resolve), name,
                absl::StrCat("'", name, "'"));
}

bool Gate::MayKnow(const GroupName& group) const {
  return node_.authorization().AllowsToKnow(role_, TargetOf(group));
}

GroupBook::Filter Gate::WatchableIn(const std::string& scope) {
  const Authorization& rules = node_.authorization();
  // All groups of the scope begin so.
  const std::string prefix = TargetOf({.scope = scope, .name = ""});
  if (rules.AllowsAll(role_, Verb::kWatch, prefix)) return nullptr;
  if (logged_.size() < kMaxLogged &&
      logged_.insert(absl::StrCat("scope ", scope)).second) {
    node_.system().logger().Log(
        LogSeverity::kWarning,
        absl::StrCat("'", peer_.node(), "', in the role '", role_,
                     "', may not watch all groups of the scope '",
                     InWords(scope), "' of '", node_.self().name,
                     "', and hears only of those that it may"));
  }
  return [&rules, role = role_](const GroupName& group) {
    return rules.Allows(role, Verb::kWatch, TargetOf(group));
  };
}

absl::Status Gate::CheckName(Verb verb, absl::string_view target) {
  if (all_[static_cast<size_t>(verb)] ||
      node_.authorization().Allows(role_, verb, target)) {
    return absl::OkStatus();
  }
  const std::string name = InWords(target);
  return Refuse(
      verb, name,
      name.empty() ? std::string("the node") : absl::StrCat("'", name, "'"));
}

absl::Status Gate::Refuse(Verb verb, absl::string_view target,
                          absl::string_view what) {
  return Refuse(VerbName(verb), absl::StrCat("Verb::", VerbConstant(verb)),
                target, what);
}

absl::Status Gate::Refuse(absl::string_view to_do, absl::string_view verbs,
                          absl::string_view target, absl::string_view what) {
  absl::Status why = absl::PermissionDeniedError(
      absl::StrCat("'", peer_.node(), "', in the role '", role_, "', may not ",
                   to_do, " ", what, " of '", node_.self().name,
                   "'; what would allow it there: Authorization::Allow(\"",
                   role_, "\", {", verbs, "}, \"", target, "\")"));
  if (logged_.size() < kMaxLogged &&
      logged_.insert(absl::StrCat(to_do, " ", target)).second) {
    node_.system().logger().Log(LogSeverity::kWarning, why.message());
  }
  return why;
}

}  // namespace troupe::internal
