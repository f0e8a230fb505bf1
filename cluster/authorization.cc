#include "troupe/cluster/authorization.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/match.h"
#include "absl/strings/strip.h"

namespace troupe {
namespace {

uint32_t BitOf(Verb verb) { return uint32_t{1} << static_cast<int>(verb); }

}  // namespace

absl::string_view VerbName(Verb verb) {
  switch (verb) {
    case Verb::kSend:
      return "send to";
    case Verb::kCall:
      return "call";
    case Verb::kWatch:
      return "watch";
    case Verb::kStop:
      return "stop";
    case Verb::kKill:
      return "kill";
    case Verb::kSpawn:
      return "spawn";
    case Verb::kIntrospect:
      return "introspect";
  }
  return "?";
}

Authorization::Authorization() {
  Allow(kAnyRole, {Verb::kSend, Verb::kCall, Verb::kWatch, Verb::kStop});
}

Authorization Authorization::Nothing() {
  Authorization nothing;
  nothing.rules_.clear();
  return nothing;
}

Authorization Authorization::Everything() {
  Authorization everything;
  everything.Allow(kAnyRole, {Verb::kKill, Verb::kSpawn, Verb::kIntrospect});
  return everything;
}

Authorization& Authorization::Assign(absl::string_view node,
                                     absl::string_view role) {
  assigned_.push_back({Nodes(node), std::string(role)});
  return *this;
}

Authorization& Authorization::Admit(absl::string_view node) {
  admitted_.emplace_back(node);
  return *this;
}

Authorization& Authorization::Allow(absl::string_view role,
                                    std::initializer_list<Verb> verbs,
                                    absl::string_view target_prefix) {
  Add(role, verbs, target_prefix, true);
  return *this;
}

Authorization& Authorization::Deny(absl::string_view role,
                                   std::initializer_list<Verb> verbs,
                                   absl::string_view target_prefix) {
  Add(role, verbs, target_prefix, false);
  return *this;
}

void Authorization::Add(absl::string_view role,
                        std::initializer_list<Verb> verbs,
                        absl::string_view prefix, bool allows) {
  uint32_t bits = 0;
  for (const Verb verb : verbs) bits |= BitOf(verb);
  rules_.push_back({std::string(role), bits, std::string(prefix), allows});
}

bool Authorization::Rule::IsFor(absl::string_view who, Verb verb) const {
  return (verbs & BitOf(verb)) != 0 && (role == kAnyRole || role == who);
}

Authorization::Nodes::Nodes(absl::string_view text)
    : is_beginning(absl::ConsumeSuffix(&text, "*")) {
  name = std::string(text);
}

bool Authorization::Nodes::Include(absl::string_view node) const {
  return is_beginning ? absl::StartsWith(node, name) : node == name;
}

bool Authorization::Admits(absl::string_view node) const {
  return admitted_.empty() || std::any_of(admitted_.begin(), admitted_.end(),
                                          [node](const Nodes& nodes) {
                                            return nodes.Include(node);
                                          });
}

absl::string_view Authorization::RoleOf(absl::string_view node) const {
  const Assigned* best = nullptr;
  for (const Assigned& each : assigned_) {
    if (!each.nodes.Include(node)) continue;
    if (!each.nodes.is_beginning) return each.role;
    if (best == nullptr || each.nodes.name.size() > best->nodes.name.size()) {
      best = &each;
    }
  }
  return best != nullptr ? absl::string_view(best->role) : kPeer;
}

bool Authorization::Allows(absl::string_view role, Verb verb,
                           absl::string_view target) const {
  for (size_t i = rules_.size(); i-- > 0;) {
    const Rule& rule = rules_[i];
    if (rule.IsFor(role, verb) && absl::StartsWith(target, rule.prefix)) {
      return rule.allows;
    }
  }
  return false;
}

bool Authorization::AllowsToKnow(absl::string_view role,
                                 absl::string_view target) const {
  return Allows(role, Verb::kSend, target) ||
         Allows(role, Verb::kCall, target) ||
         Allows(role, Verb::kWatch, target) ||
         Allows(role, Verb::kStop, target) || Allows(role, Verb::kKill, target);
}

bool Authorization::AllowsAll(absl::string_view role, Verb verb,
                              absl::string_view target_prefix) const {
  for (size_t i = rules_.size(); i-- > 0;) {
    const Rule& rule = rules_[i];
    if (!rule.IsFor(role, verb)) continue;
    if (absl::StartsWith(target_prefix, rule.prefix)) return rule.allows;
    // At least for some of them.
    if (!rule.allows && absl::StartsWith(rule.prefix, target_prefix)) {
      return false;
    }
  }
  return false;
}

}  // namespace troupe
