#include "troupe/testing/swarm/rest.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/internal/bounded_mailbox.h"
#include "troupe/actor/internal/cell.h"
#include "troupe/actor/internal/extras.h"
#include "troupe/actor/internal/handler_state.h"
#include "troupe/actor/internal/system_core.h"
#include "troupe/actor/internal/watch_table.h"

namespace troupe::swarm {

using internal::Cell;

void Rest::Check(ActorSystem& system) {
  internal::SystemCore* core = nullptr;
  for (Number number = 1; number <= lives_.count() && core == nullptr;
       ++number) {
    const AnyActorRef& ref = lives_.ref(number);
    if (ref.cell() != nullptr && ref.cell()->IsAliveAs(ref.id().value())) {
      core = ref.cell()->system;
    }
  }
  if (core == nullptr) return;  // Who is left is none of ours.
  uint64_t cells = 0;
  core->ForEachActor([&](Cell& cell, uint64_t id) {
    ++cells;
    CheckIdle(cell, id);
    CheckChildren(cell, id);
    CheckWatches(cell, id);
  });
  if (cells != system.live_actors()) {
    Break(kTables, 0, "the actors that are counted are those that there are");
  }
}

std::string Rest::Ready() const {
  std::string ready;
  for (Number number = 1; number <= lives_.count(); ++number) {
    const AnyActorRef& ref = lives_.ref(number);
    const Cell* const cell = ref.cell();
    if (cell == nullptr || !cell->IsAliveAs(ref.id().value()) ||
        !cell->IsScheduled()) {
      continue;
    }
    absl::StrAppend(
        &ready, " #", number, ": phase ", static_cast<int>(cell->phase),
        ", attention ", cell->attention(), ", request ",
        static_cast<int>(cell->request()), ", ", cell->queued(), " queued;");
  }
  return ready;
}

void Rest::CheckIdle(Cell& cell, uint64_t id) {
  if (cell.IsScheduled()) Break(kForgotten, id, "it is ready");
  if (cell.HasMail() || !cell.empty() || !cell.events().empty() ||
      !cell.urgent().empty()) {
    Break(kForgotten, id, "mail waits");
  }
  if (cell.bounded() != nullptr && cell.bounded()->queue.messages() != 0) {
    Break(kForgotten, id, "mail waits in its bounded mailbox");
  }
  if (cell.phase != internal::Phase::kRunning) {
    Break(kForgotten, id, "it is between two phases of its life");
  }
  if (cell.request() != internal::Ending::kNone) {
    Break(kForgotten, id, "it was asked to end");
  }
  if (cell.handler != nullptr && cell.handler->is_suspended()) {
    Break(kForgotten, id, "a handler waits, and nothing will come");
  }
}

void Rest::CheckChildren(Cell& cell, uint64_t id) {
  uint32_t children = 0;
  const Cell* newer = nullptr;
  for (const Cell* child = cell.newest_child; child != nullptr;
       child = child->older_sibling) {
    ++children;
    if (child->parent != &cell || child->newer_sibling != newer) {
      Break(kTables, id, "its children know it and each other");
    }
    if (!child->IsAliveAs(child->CurrentId())) {
      Break(kTables, id, "its children are alive");
    }
    newer = child;
  }
  if (children != cell.children) {
    Break(kTables, id, "it has as many children as it counts");
  }
}

void Rest::CheckWatches(Cell& cell, uint64_t id) {
  if (cell.handler != nullptr && cell.handler->watches() != nullptr) {
    for (const auto& [other_id, link] : cell.handler->watches()->links()) {
      const Cell* const other = link.actor.cell();
      if (other == nullptr || !other->IsAliveAs(other_id) ||
          other->handler == nullptr || other->handler->watches() == nullptr ||
          !other->handler->watches()->links().contains(id)) {
        Break(kTables, id, "a link is known to both sides");
      }
    }
  }
  if (cell.extras == nullptr) return;
  for (const auto& [key, down] : cell.extras->watchers) {
    const Number watcher = lives_.NumberOf(ActorId(key.watcher));
    if (watcher == 0) continue;
    const Cell* const other = lives_.ref(watcher).cell();
    if (!other->IsAliveAs(key.watcher) || other->handler == nullptr ||
        other->handler->watches() == nullptr ||
        other->handler->watches()->monitors() == 0) {
      Break(kTables, id, "a monitor is known to both sides");
    }
  }
}

void Rest::Break(std::string_view invariant, uint64_t id,
                 std::string_view rule) {
  journal_.Break(
      invariant,
      absl::StrCat("#", id == 0 ? 0 : lives_.NumberOf(ActorId(id)), ": ",
                   absl::string_view(rule.data(), rule.size())));
}

}  // namespace troupe::swarm
