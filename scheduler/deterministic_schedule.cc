#include "troupe/scheduler/deterministic_schedule.h"

#include <algorithm>

#include "troupe/base/check.h"

namespace troupe {

DeterministicSchedule::~DeterministicSchedule() {
  TROUPE_CHECK(parts_.empty(), "a schedule ends before its players");
}

void DeterministicSchedule::Join(DeterministicPlayer& player) {
  parts_.push_back({&player});
  player.AdvanceTo(now_);
}

void DeterministicSchedule::Leave(DeterministicPlayer& player) {
  parts_.erase(std::remove_if(parts_.begin(), parts_.end(),
                              [&player](const Part& part) {
                                return part.player == &player;
                              }),
               parts_.end());
}

DeterministicSchedule::Part& DeterministicSchedule::PartOf(
    DeterministicPlayer& player) {
  const auto part = std::find_if(
      parts_.begin(), parts_.end(),
      [&player](const Part& part) { return part.player == &player; });
  TROUPE_CHECK(part != parts_.end(), "the player has not joined");
  return *part;
}

void DeterministicSchedule::Pause(DeterministicPlayer& player) {
  PartOf(player).paused = true;
}

void DeterministicSchedule::Resume(DeterministicPlayer& player) {
  Part& part = PartOf(player);
  part.paused = false;
  part.player->AdvanceTo(now_);
}

bool DeterministicSchedule::Step() {
  TROUPE_CHECK(!playing_, "a schedule is played in one of its steps");
  ready_.clear();
  for (const Part& part : parts_) {
    if (!part.paused && part.player->IsReady()) ready_.push_back(part.player);
  }
  if (ready_.empty()) return false;
  ++steps_;
  DeterministicPlayer* const next = ready_[Choose(ready_.size())];
  playing_ = true;
  next->Play();
  playing_ = false;
  if (after_step_) after_step_();
  return true;
}

size_t DeterministicSchedule::Choose(size_t ready) {
  // One player alone takes the course that it takes without a schedule.
  if (ready == 1) return 0;
  const auto alternatives = static_cast<uint32_t>(ready);
  const auto drawn = static_cast<uint32_t>(random_.Uniform(alternatives));
  return choose_ ? choose_(DeterministicChoice::kPlayer, alternatives, drawn)
                 : drawn;
}

uint64_t DeterministicSchedule::RunUntilIdle() {
  const uint64_t before = steps_;
  while (Step()) {
  }
  return steps_ - before;
}

bool DeterministicSchedule::Jump(MonotonicTime limit) {
  MonotonicTime next = MonotonicTime::InfiniteFuture();
  for (const Part& part : parts_) {
    if (!part.paused) next = std::min(next, part.player->NextExpiry());
  }
  if (next.IsInfinite() || next > limit) {
    if (!limit.IsInfinite()) AdvanceTo(limit);
    return false;
  }
  AdvanceTo(next);
  return true;
}

void DeterministicSchedule::AdvanceTo(MonotonicTime now) {
  now_ = std::max(now_, now);
  for (const Part& part : parts_) {
    if (!part.paused) part.player->AdvanceTo(now_);
  }
}

void DeterministicSchedule::RunFor(absl::Duration duration) {
  const MonotonicTime end = now_ + duration;
  do {
    RunUntilIdle();
  } while (Jump(end));
}

bool DeterministicSchedule::RunUntil(absl::FunctionRef<bool()> done,
                                     MonotonicTime deadline) {
  while (!done()) {
    if (Step()) continue;
    if (now_ >= deadline || !Jump(deadline)) return done();
  }
  return true;
}

}  // namespace troupe
