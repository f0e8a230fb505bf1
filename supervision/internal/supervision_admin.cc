// What can be asked of a supervisor: what there is, and operations by hand.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "troupe/supervision/internal/supervision.h"

namespace troupe::internal {
namespace {

absl::Status NoSuchChild(absl::string_view path, const ChildName& name) {
  return absl::NotFoundError(
      absl::StrCat("supervisor '", path, "' has no child ", name.ToString()));
}

}  // namespace

// -- what there is

absl::string_view Supervision::IdOf(ChildKey key) const {
  const Details* const details = children_[key].details.get();
  return details == nullptr ? absl::string_view() : details->spec->options().id;
}

std::string Supervision::Describe(ChildKey key) const {
  const absl::string_view id = IdOf(key);
  if (!id.empty()) return absl::StrCat("child '", id, "'");
  return absl::StrCat("child ", LatestInstance(key).id().ToString());
}

AnyActorRef Supervision::LatestInstance(ChildKey key) const {
  const AnyActorRef& instance = children_[key].instance;
  if (!instance.IsNull()) return instance;
  const auto found = reasons_.find(key);
  return found == reasons_.end() ? AnyActorRef() : found->second.instance;
}

std::optional<ChildKey> Supervision::Find(const ChildName& name) const {
  if (name.id().empty()) {
    const auto found = by_instance_.find(name.instance().id().value());
    if (found == by_instance_.end()) return std::nullopt;
    return found->second;
  }
  const auto found = by_id_.find(name.id());
  // One that is to be forgotten, as soon as what was decided before is done, is
  // gone for whoever asks.
  if (found == by_id_.end() || !machine_.Has(found->second)) {
    return std::nullopt;
  }
  return found->second;
}

ChildInfo Supervision::InfoOf(ChildKey key) const {
  const Child& child = children_[key];
  ChildInfo info;
  if (child.details != nullptr) {
    info.options = child.details->spec->options();
    info.class_name = std::string(child.details->spec->class_name());
  } else {
    info.options = {.restart = kTemporary};
  }
  info.status = machine_.status(key);
  info.instance = child.instance;
  info.restarts = machine_.restarts(key);
  return info;
}

std::vector<ChildInfo> Supervision::List() const {
  std::vector<ChildInfo> list;
  list.reserve(machine_.size());
  for (ChildKey key = machine_.first(); key != kNoChild;
       key = machine_.next(key)) {
    list.push_back(InfoOf(key));
  }
  return list;
}

absl::StatusOr<ChildInfo> Supervision::Get(const ChildName& name) const {
  const std::optional<ChildKey> key = Find(name);
  if (!key.has_value()) return NoSuchChild(path_, name);
  return InfoOf(*key);
}

ChildCounts Supervision::Count() const {
  ChildCounts counts;
  for (ChildKey key = machine_.first(); key != kNoChild;
       key = machine_.next(key)) {
    const Child& child = children_[key];
    const bool is_supervisor =
        child.details != nullptr &&
        child.details->spec->options().kind == kSupervisor;
    ++counts.specs;
    ++(is_supervisor ? counts.supervisors : counts.workers);
    if (!child.instance.IsNull()) ++counts.active;
  }
  return counts;
}

SupervisionTree Supervision::Snapshot() const {
  SupervisionTree tree;
  tree.id = path_.substr(path_.rfind('/') + 1);
  tree.type_name = "Supervisor";
  tree.kind = kSupervisor;
  tree.status =
      machine_.ending() ? ChildStatus::kStopping : ChildStatus::kRunning;
  tree.instance = supervisor_.self().id();
  tree.children.reserve(machine_.size());
  for (ChildKey key = machine_.first(); key != kNoChild;
       key = machine_.next(key)) {
    ChildInfo info = InfoOf(key);
    SupervisionTree& child = tree.children.emplace_back();
    child.id = std::move(info.options.id);
    child.type_name = std::move(info.class_name);
    child.kind = info.options.kind;
    child.status = info.status;
    child.instance = info.instance.id();
    child.restarts = info.restarts;
  }
  return tree;
}

// -- admin

Ticket Supervision::Owe(Answer answer) {
  tickets_.emplace(++next_ticket_, std::move(answer));
  return next_ticket_;
}

absl::Status Supervision::OutcomeStatus(AdminOutcome outcome, ChildKey key,
                                        absl::string_view what) const {
  const auto refuse = [&](absl::string_view why) {
    return absl::FailedPreconditionError(
        absl::StrCat("supervisor '", path_, "': ", what, ": ", why));
  };
  switch (outcome) {
    case AdminOutcome::kDone:
      return absl::OkStatus();
    case AdminOutcome::kNoSuchChild:
      return absl::NotFoundError(absl::StrCat(
          "supervisor '", path_, "': ", what, ": it is gone meanwhile"));
    case AdminOutcome::kRunning:
      return refuse("it runs; terminate it first");
    case AdminOutcome::kRestarting:
      return refuse("it is being started; terminate it first");
    case AdminOutcome::kStartFailed: {
      const Details* const details = children_[key].details.get();
      const absl::Status& why =
          details == nullptr ? last_start_failure_ : details->start_failure;
      return absl::Status(why.code(), absl::StrCat("supervisor '", path_, "': ",
                                                   what, ": ", why.message()));
    }
    case AdminOutcome::kStopped:
      return absl::AbortedError(absl::StrCat("supervisor '", path_, "': ", what,
                                             ": it was ended first"));
    case AdminOutcome::kNotDynamic:
      return refuse(
          "a dynamic supervisor starts and terminates children, and nothing "
          "else");
    case AdminOutcome::kEnding:
      return refuse("the supervisor is ending");
  }
  return absl::OkStatus();
}

Supervision::Answer Supervision::AnswerBy(ReplyTo<AnyActorRef> reply,
                                          std::string what) {
  return [this, what = std::move(what), reply = std::move(reply)](
             AdminOutcome outcome, ChildKey key) mutable {
    if (outcome == AdminOutcome::kDone) {
      // It may have ended since.
      reply.Send(LatestInstance(key));
    } else {
      reply.Send(OutcomeStatus(outcome, key, what));
    }
  };
}

Supervision::Answer Supervision::AnswerBy(ReplyTo<absl::Status> reply,
                                          std::string what) {
  return [this, what = std::move(what), reply = std::move(reply)](
             AdminOutcome outcome, ChildKey key) mutable {
    reply.Send(OutcomeStatus(outcome, key, what));
  };
}

void Supervision::StartChild(ChildSpec spec, ReplyTo<AnyActorRef> reply) {
  auto owned = std::make_unique<ChildSpec>(std::move(spec));
  ChildSpec* const its_spec = owned.get();
  const absl::StatusOr<ChildKey> key = Add(its_spec, std::move(owned));
  if (!key.ok()) {
    reply.Send(key.status());
    return;
  }
  machine_.StartChild(*key, now(),
                      Owe(AnswerBy(std::move(reply),
                                   absl::StrCat("starting child '",
                                                its_spec->options().id, "'"))));
  PumpAndGoOn();
}

template <typename T>
void Supervision::Operate(Operation operation, absl::string_view what,
                          const ChildName& name, ReplyTo<T> reply) {
  const std::optional<ChildKey> key = Find(name);
  if (!key.has_value()) {
    reply.Send(NoSuchChild(path_, name));
    return;
  }
  const Ticket ticket = Owe(AnswerBy(
      std::move(reply), absl::StrCat(what, " child ", name.ToString())));
  (machine_.*operation)(*key, now(), ticket);
  PumpAndGoOn();
}

void Supervision::TerminateChild(const ChildName& name,
                                 ReplyTo<absl::Status> reply) {
  Operate(&SupervisorMachine::TerminateChild, "terminating", name,
          std::move(reply));
}

void Supervision::RestartChild(const ChildName& name,
                               ReplyTo<AnyActorRef> reply) {
  Operate(&SupervisorMachine::RestartChild, "restarting", name,
          std::move(reply));
}

void Supervision::DeleteChild(const ChildName& name,
                              ReplyTo<absl::Status> reply) {
  Operate(&SupervisorMachine::DeleteChild, "deleting", name, std::move(reply));
}

absl::Status Supervision::SetStrategy(Strategy strategy,
                                      const Intensity& intensity) {
  if (absl::Status status = Validate(intensity); !status.ok()) return status;
  if ((strategy == kDynamic) != (machine_.strategy() == kDynamic)) {
    return absl::FailedPreconditionError(absl::StrCat(
        "supervisor '", path_, "' is ", ToString(machine_.strategy()),
        ", and cannot become ", ToString(strategy)));
  }
  machine_.SetStrategy(strategy);
  machine_.SetIntensity(intensity);
  intensity_ = intensity;
  return absl::OkStatus();
}

}  // namespace troupe::internal
