#include "troupe/registry/internal/group_seam.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "troupe/registry/internal/send_to_all.h"

namespace troupe::internal {

void GroupSeam::Connect(GroupRelay& relay, uint64_t offset) {
  absl::MutexLock lock(&groups_.mu_);
  groups_.relay_ = &relay;
  groups_.table_.Renumber(offset);
}

absl::Status GroupSeam::Share(const GroupRange& range,
                              const GroupProtocol& protocol,
                              absl::FunctionRef<void()> shared) {
  absl::MutexLock lock(&groups_.mu_);
  const auto check = [&](const GroupName& group) {
    groups_.mu_.AssertHeld();
    const GroupProtocol* has = groups_.shares_.Find(group);
    if (has != nullptr && !(*has == protocol)) {
      return WrongGroupProtocol(group, *has, protocol);
    }
    const auto view = groups_.table_.Look(group);
    if (view != nullptr && !(view->attribute() == protocol)) {
      return WrongGroupProtocol(group, view->attribute(), protocol);
    }
    return absl::OkStatus();
  };
  if (range.kind() == GroupRange::Kind::kGroup) {
    absl::Status status = CheckGroupName(range.name());
    if (status.ok()) status = check(range.name());
    if (!status.ok()) return status;
  } else {
    absl::Status status = absl::OkStatus();
    groups_.shares_.ForEach(
        [&](const GroupRange& other, const GroupProtocol& has) {
          if (other.scope() == range.scope() && !(has == protocol)) {
            status = WrongGroupProtocol({.scope = range.scope(), .name = ""},
                                        has, protocol);
          }
        });
    for (const std::string& name : groups_.table_.ListGroups(range.scope())) {
      if (status.ok()) status = check({.scope = range.scope(), .name = name});
    }
    if (!status.ok()) return status;
  }
  groups_.shares_.Set(range, protocol);
  shared();
  return absl::OkStatus();
}

void GroupSeam::LookAtLocal(
    const GroupRange& range,
    absl::FunctionRef<void(const GroupName& group,
                           absl::Span<const Numbered> members)>
        look) const {
  absl::MutexLock lock(&groups_.mu_);
  const auto look_at = [&](const GroupName& group) {
    groups_.mu_.AssertHeld();
    const auto view = groups_.table_.Look(group);
    std::vector<Numbered> members;
    if (view != nullptr) {
      members.reserve(view->local_members().size());
      for (size_t i = 0; i < view->members().size(); ++i) {
        if (view->IsLocal(i)) {
          members.push_back({view->members()[i], view->numbers()[i]});
        }
      }
    }
    if (!members.empty() || range.kind() == GroupRange::Kind::kGroup) {
      look(group, members);
    }
  };
  if (range.kind() == GroupRange::Kind::kGroup) return look_at(range.name());
  for (const std::string& name : groups_.table_.ListGroups(range.scope())) {
    look_at({.scope = range.scope(), .name = name});
  }
}

bool GroupSeam::Replace(GroupSource source, const Said& said) {
  bool agreed = false;
  groups_.Change([&](Groups::Table::OnChange tell) {
    groups_.mu_.AssertHeld();
    agreed = groups_.table_.ReplaceIn(source, said, tell);
  });
  return agreed;
}

bool GroupSeam::Add(GroupSource source, const Said& said) {
  bool agreed = false;
  groups_.Change([&](Groups::Table::OnChange tell) {
    groups_.mu_.AssertHeld();
    agreed = groups_.table_.Add(source, said, tell);
  });
  return agreed;
}

size_t GroupSeam::Remove(GroupSource source, const GroupName& group,
                         absl::Span<const AnyActorRef> members) {
  size_t left = 0;
  groups_.Change([&](Groups::Table::OnChange tell) {
    groups_.mu_.AssertHeld();
    left = groups_.table_.Remove(source, group, members, tell);
  });
  return left;
}

void GroupSeam::Drop(GroupSource source) {
  groups_.Change([&](Groups::Table::OnChange tell) {
    groups_.mu_.AssertHeld();
    groups_.table_.Drop(source, tell);
  });
}

size_t GroupSeam::Deliver(const GroupName& group, const SharedMessageType& type,
                          const SharedBody& body) {
  std::shared_ptr<const Groups::Table::View> view;
  {
    absl::MutexLock lock(&groups_.mu_);
    view = groups_.table_.Look(group);
  }
  if (view == nullptr) return 0;
  const auto members = view->local_members();
  SharedBodies bodies(body, static_cast<uint32_t>(members.size()));
  return SendEach(members,
                  [&] { return MakeSharedEnvelope(type, bodies.Take()); });
}

}  // namespace troupe::internal
