#include "troupe/testing/swarm/lives.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "troupe/scheduler/thread_context.h"

namespace troupe::swarm {

Number Lives::Conceive(Number parent, bool is_supervised) {
  lives_.push_back({.parent = parent, .is_supervised = is_supervised});
  return static_cast<Number>(lives_.size() - 1);
}

Number Lives::ConceiveDoor() {
  const Number door = Conceive(0, /*is_supervised=*/true);
  lives_[door].is_door = true;
  lives_[door].post_started = true;
  return door;
}

void Lives::Register(Number number, const AnyActorRef& ref) {
  Life& life = lives_[number];
  life.ref = ref;
  if (life.is_door && ref.status() == ActorStatus::kStopped) life.ended = true;
  const auto [entry, is_new] = numbers_.try_emplace(ref.id().value(), number);
  Check(is_new || entry->second == number, number, "no id is used again (§1)");
}

void Lives::SpawnFailed(Number number) {
  Life& life = lives_[number];
  if (!life.constructed || life.destroyed) return;
  --lives_[life.parent].child_objects;
  ++lives_[0].child_objects;
  life.parent = 0;
}

void Lives::Pinned(Number number, uint32_t shared) {
  lives_[number].is_pinned = true;
  lives_[number].shares = shared;
  if (shared >= shared_.size()) shared_.resize(shared + 1);
}

void Lives::CheckThread(Number number) {
  Life& life = lives_[number];
  const Worker* const worker = this_thread.worker;
  if (!life.is_pinned) {
    // It may have been made there, by its parent.
    if (life.post_started &&
        std::find(shared_.begin(), shared_.end(), worker) != shared_.end()) {
      Break(kPinned, number, "it runs on a thread of others");
    }
    return;
  }
  if (life.worker == nullptr) life.worker = worker;
  if (worker == nullptr || life.worker != worker) {
    Break(kPinned, number, "it runs on another thread");
  }
  if (life.shares == 0) return;
  const Worker*& shared = shared_[life.shares];
  if (shared == nullptr) shared = worker;
  if (shared != worker) {
    Break(kPinned, number, "it does not run on the thread that it shares");
  }
}

void Lives::Constructed(Number number) {
  CheckThread(number);
  Life& life = lives_[number];
  Check(!life.constructed, number, "an object is constructed once");
  life.constructed = true;
  ++objects_;
  ++lives_[life.parent].child_objects;
  journal_.Note(What::kBorn, number, life.parent);
}

void Lives::Destroyed(Number number) {
  CheckThread(number);
  Life& life = lives_[number];
  Check(!life.destroyed, number, "an object is destroyed once");
  Check(!life.inside, number, "no object is destroyed while its code runs");
  Check(life.child_objects == 0, number,
        "children end before their parent's object (§14)");
  Check(!life.ended, number, "an object is destroyed before its end is told");
  life.destroyed = true;
  --objects_;
  --lives_[life.parent].child_objects;
  journal_.Note(What::kGone, number);
}

void Lives::PreStarts(Number number) {
  Life& life = lives_[number];
  Check(life.constructed && !life.pre_started, number, "PreStart runs once");
  life.pre_started = true;
}

void Lives::PostStarts(Number number) {
  Life& life = lives_[number];
  Check(life.pre_started && !life.start_failed && !life.post_started, number,
        "PostStart runs once, after PreStart (§5)");
  life.post_started = true;
  journal_.Note(What::kStarts, number);
}

void Lives::PostStops(Number number) {
  Life& life = lives_[number];
  Check(life.post_started && !life.post_stopped, number,
        "PostStop runs once, after the start");
  Check(!life.failed, number, "no PostStop after a failure (§7)");
  life.post_stopped = true;
  journal_.Note(What::kStops, number);
}

void Lives::Fails(Number number) {
  lives_[number].failed = true;
  journal_.Note(What::kFails, number);
}

void Lives::Enter(Number number) {
  Life& life = lives_[number];
  if (life.inside) [[unlikely]]
    Break(kAlone, number, "its code runs on two workers at once (§19)");
  Check(life.constructed && !life.destroyed && !life.ended, number,
        "no code without an object");
  CheckThread(number);
  life.inside = true;
}

void Lives::TaskBegins(Number number, bool alone) {
  Life& life = lives_[number];
  ++tasks_;
  if (!alone) return;
  if (life.tasks_alone != 0) [[unlikely]]
    Break(kAlone, number, "two handlers that are not interleaved (§19)");
  ++life.tasks_alone;
}

void Lives::TaskEnds(Number number, bool alone) {
  --tasks_;
  if (alone) --lives_[number].tasks_alone;
}

void Lives::AskedToEnd(Number by, Number number) {
  lives_[number].asked = true;
  journal_.Note(What::kAsksToEnd, by, number);
}

void Lives::SaidToHaveEnded(Number number) {
  const Life& life = lives_[number];
  Check(number == 0 || life.destroyed || !life.constructed, number,
        "who waited for the end finds no object (§15)");
}

void Lives::Started(ActorId id) {
  const Number number = NumberOf(id);
  if (number == 0) return;
  Life& life = lives_[number];
  if (life.is_door) return;
  Check(life.post_started && !life.started && !life.ended, number,
        "a start is told once, after PostStart (§5)");
  life.started = true;
  journal_.Note(What::kStarted, number);
}

void Lives::Ended(ActorId id, const ExitReason& reason) {
  const Number number = NumberOf(id);
  if (number == 0) return;
  Life& life = lives_[number];
  journal_.Note(What::kEnded, number, 0, static_cast<uint64_t>(reason.kind()));
  Check(!life.ended, number, "an end is told once");
  life.ended = true;
  life.ended_at_ns = journal_.now_ns();
  life.end_kind = reason.kind();
  if (life.is_door) return;
  Check(life.destroyed || !life.constructed, number,
        "an end is told when the object is gone (§14)");
  Check(!life.start_failed, number, "a failed start is no event (§6)");
  Check(!reason.IsGraceful() || !life.post_started || life.post_stopped, number,
        "a graceful end runs PostStop (§11)");
  Check(!reason.IsGraceful() || !life.failed, number,
        "a failure is no graceful end (§7)");
}

void Lives::LookAtSome(uint64_t chance) {
  if (lives_.size() == 1) return;
  const Number number = 1 + static_cast<Number>(chance % (lives_.size() - 1));
  Life& life = lives_[number];
  if (life.ref.IsNull()) return;
  const ActorStatus status = life.ref.status();
  Check(status >= life.status, number, "a status moves forward only (§4)");
  life.status = status;
}

void Lives::CheckAtRest() {
  for (Number number = 1; number < lives_.size(); ++number) {
    const Life& life = lives_[number];
    if (!life.constructed) continue;
    Check(!life.inside && life.tasks_alone == 0, number,
          "at rest no handler is under way");
    const bool is_over = life.destroyed;
    Check(!life.ended || is_over, number,
          "at rest an actor that has ended has no object");
    Check(!is_over || life.ended || !life.post_started || life.start_failed,
          number, "each end is told");
    if (!life.ref.IsNull()) {
      Check(is_over == (life.ref.status() == ActorStatus::kStopped), number,
            "at rest the status is that of the event (§4)");
    }
    Check(is_over || life.started, number, "at rest a start is over");
    Check(is_over || !life.asked, number, "an actor ends when told");
    Check(is_over || !life.failed, number, "an actor that failed ends (§7)");
    const Life& parent = lives_[life.parent];
    Check(is_over || life.parent == 0 || !parent.ended, number,
          "an actor ends with its parent (§14)");
  }
}

void Lives::CheckAtEnd() {
  CheckAtRest();
  for (Number number = 1; number < lives_.size(); ++number) {
    const Life& life = lives_[number];
    Check(life.constructed == life.destroyed, number,
          "a system leaves no actor behind (§16)");
  }
  Check(tasks_ == 0, 0, "a system leaves no coroutine behind (§16)");
}

void Lives::Break(std::string_view invariant, Number number,
                  std::string_view rule) {
  journal_.Break(invariant,
                 absl::StrCat("#", number, ": ",
                              absl::string_view(rule.data(), rule.size())));
}

}  // namespace troupe::swarm
