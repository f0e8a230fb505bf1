// What a citizen awaits.
#include <algorithm>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "troupe/actor/call.h"
#include "troupe/actor/call_all.h"
#include "troupe/actor/call_any.h"
#include "troupe/actor/ended.h"
#include "troupe/actor/pending_send.h"
#include "troupe/actor/retry.h"
#include "troupe/actor/run_blocking.h"
#include "troupe/actor/sleep.h"
#include "troupe/actor/when_any.h"
#include "troupe/testing/swarm/citizen.h"

namespace troupe::swarm {
namespace {

constexpr uint32_t kDeepest = 3;

// What takes its time elsewhere: it is begun once, or not at all.
absl::StatusOr<int64_t> Block(World* world, uint32_t call) {
  world->calls.Served(call, 0, Calls::kNever);
  if (world->Uniform(8) == 0) throw Struck();
  if (world->Uniform(8) == 0) return absl::NotFoundError("no such thing");
  return Calls::AnswerTo(call);
}

}  // namespace

Task<void> Citizen::AwaitOne(Frame& frame, uint32_t depth,
                             int64_t deadline_ns) {
  const Wait wait = world_.features.PickWait(world_.random);
  world_.journal.Note(What::kWaits, number_, 0, static_cast<uint64_t>(wait));
  const bool calls = depth < kDeepest;
  switch (wait) {
    case Wait::kCall:
      if (calls) co_await AwaitCall(frame, depth, deadline_ns);
      break;
    case Wait::kRetry:
      if (calls) co_await AwaitRetry(frame, depth, deadline_ns);
      break;
    case Wait::kAll:
      if (calls) co_await AwaitMany(frame, depth, deadline_ns, /*all=*/true);
      break;
    case Wait::kAny:
      if (calls) co_await AwaitMany(frame, depth, deadline_ns, /*all=*/false);
      break;
    case Wait::kStarted:
      if (calls) co_await AwaitStarted(frame, depth, deadline_ns);
      break;
    case Wait::kCallOrSleep:
      if (calls) co_await AwaitCallOrSleep(frame, depth, deadline_ns);
      break;
    case Wait::kSleep: {
      const absl::Duration time = world_.SomeTime();
      frame.Leave();
      (void)co_await Sleep(time);
      frame.Enter();
      break;
    }
    case Wait::kSpace:
      co_await AwaitSpace(frame);
      break;
    case Wait::kSpawn:
      co_await AwaitSpawn(frame);
      break;
    case Wait::kEnd:
      co_await AwaitEnd(frame);
      break;
    case Wait::kName:
      co_await AwaitName(frame);
      break;
    case Wait::kPublish:
      co_await AwaitPublish(frame);
      break;
    case Wait::kSupervisor:
      co_await AwaitSupervisor(frame, deadline_ns);
      break;
    case Wait::kBlocking:
      co_await AwaitBlocking(frame, deadline_ns);
      break;
    case Wait::kCount:
      break;
  }
}

Task<void> Citizen::AwaitCall(Frame& frame, uint32_t depth,
                              int64_t deadline_ns) {
  const Acquaintance other = SomebodyKnown();
  const absl::Duration within = world_.SomeTime();
  OpenCall open(world_.calls,
                world_.calls.Made(number_, other.number,
                                  std::min(world_.After(within), deadline_ns)));
  if (world_.Uniform(2) == 0) {
    auto call =
        RefTo(other).Call<Question>(world_.counted, open.number(), depth);
    frame.Leave();
    const absl::StatusOr<int64_t> outcome =
        co_await std::move(call).Within(within);
    frame.Enter();
    open.End(outcome);
  } else {
    auto call =
        RefTo(other).Call<Inquiry>(world_.counted, open.number(), depth);
    frame.Leave();
    const absl::StatusOr<int64_t> outcome =
        co_await std::move(call).Within(within);
    frame.Enter();
    open.End(outcome);
  }
}

Task<void> Citizen::AwaitRetry(Frame& frame, uint32_t depth,
                               int64_t deadline_ns) {
  const Acquaintance other = SomebodyKnown();
  const absl::Duration within = world_.SomeTime();
  RetryOptions options;
  options.attempts = 2 + static_cast<int>(world_.Uniform(3));
  options.attempt_timeout = world_.SomeTime();
  options.backoff.initial = absl::Microseconds(1 + world_.Uniform(5000));
  options.also_unknown = world_.Uniform(2) == 0;
  options.also_ended = world_.Uniform(4) == 0;
  OpenCall open(world_.calls,
                world_.calls.Made(number_, other.number,
                                  std::min(world_.After(within), deadline_ns),
                                  static_cast<uint32_t>(options.attempts)));
  auto call = RefTo(other).Call<Favor>(world_.counted, open.number(), depth);
  frame.Leave();
  const absl::StatusOr<int64_t> outcome =
      co_await std::move(call).Within(within).Retry(options);
  frame.Enter();
  open.End(outcome);
}

Task<void> Citizen::AwaitMany(Frame& frame, uint32_t depth, int64_t deadline_ns,
                              bool all) {
  std::vector<CitizenRef> others;
  for (uint64_t i = world_.Uniform(5); i > 0; --i) {
    others.push_back(RefTo(SomebodyKnown()));
  }
  const absl::Duration within = world_.SomeTime();
  OpenCall open(
      world_.calls,
      world_.calls.Made(number_, 0, std::min(world_.After(within), deadline_ns),
                        static_cast<uint32_t>(others.size())));
  if (all) {
    auto calls =
        CallAll<Question>(others, world_.counted, open.number(), depth);
    frame.Leave();
    const std::vector<absl::StatusOr<int64_t>> outcomes =
        co_await std::move(calls).Within(within);
    frame.Enter();
    open.EndAll(outcomes, others.size());
  } else {
    auto calls = CallAny<Favor>(others, world_.counted, open.number(), depth);
    frame.Leave();
    const absl::StatusOr<int64_t> outcome =
        co_await std::move(calls).Within(within);
    frame.Enter();
    open.End(outcome);
  }
}

Task<void> Citizen::AwaitStarted(Frame& frame, uint32_t depth,
                                 int64_t deadline_ns) {
  const Acquaintance other = SomebodyKnown();
  const absl::Duration within = world_.SomeTime();
  OpenCall open(world_.calls,
                world_.calls.Made(number_, other.number,
                                  std::min(world_.After(within), deadline_ns)));
  StartedCall<Question> call =
      RefTo(other)
          .Call<Question>(world_.counted, open.number(), depth)
          .Within(within)
          .Start();
  DoSome();
  if (world_.Uniform(4) == 0) co_return;  // It is dropped.
  frame.Leave();
  const absl::StatusOr<int64_t> outcome = co_await std::move(call);
  frame.Enter();
  open.End(outcome);
}

Task<void> Citizen::AwaitCallOrSleep(Frame& frame, uint32_t depth,
                                     int64_t deadline_ns) {
  const Acquaintance other = SomebodyKnown();
  OpenCall open(
      world_.calls,
      world_.calls.Made(number_, other.number,
                        std::min(world_.After(absl::Seconds(5)), deadline_ns)));
  const absl::Duration time = world_.SomeTime();
  frame.Leave();
  auto first = co_await WhenAny(
      RefTo(other).Call<Question>(world_.counted, open.number(), depth),
      Sleep(time));
  frame.Enter();
  if (first.index() == 0) open.End(std::get<0>(first));
}

Task<void> Citizen::AwaitBlocking(Frame& frame, int64_t deadline_ns) {
  const absl::Duration within = world_.SomeTime();
  OpenCall open(world_.calls,
                world_.calls.Made(number_, 0,
                                  std::min(world_.After(within), deadline_ns)));
  auto work = RunBlocking(&Block, &world_, open.number());
  frame.Leave();
  const absl::StatusOr<int64_t> outcome =
      co_await std::move(work).Within(within);
  frame.Enter();
  // No delivery is told of what the function did not return.
  if (outcome.ok() || absl::IsNotFound(outcome.status())) {
    open.End(outcome);
  } else {
    open.EndByOther();
  }
}

Task<void> Citizen::AwaitSpace(Frame& frame) {
  const Acquaintance other = SomebodyKnown();
  auto send = RefTo(other).SendWhenReady<Freight>(
      Passage(world_.mail, world_.mail.Offered(number_, other.number)),
      other.number, Way::kWhenReady);
  const absl::Duration within = world_.SomeTime();
  frame.Leave();
  (void)co_await std::move(send).Within(within);
  frame.Enter();
}

Task<void> Citizen::AwaitSpawn(Frame& frame) {
  if (world_.lives.count() >= world_.features.most_actors()) co_return;
  const Number child = world_.lives.Conceive(number_, /*is_supervised=*/false);
  const SpawnOptions options = SomeOptions(world_, child);
  auto spawn = SpawnAsync<Sluggard>(options, &world_, child);
  frame.Leave();
  const absl::StatusOr<CitizenRef> ref = co_await std::move(spawn);
  frame.Enter();
  if (!ref.ok()) co_return;
  world_.Introduce({*ref, child}, options);
  Meet({*ref, child});
}

Task<void> Citizen::AwaitEnd(Frame& frame) {
  const Acquaintance other = SomebodyKnown();
  const absl::Duration within = world_.SomeTime();
  frame.Leave();
  const absl::StatusOr<ExitReason> reason =
      co_await Ended(other.ref).Within(within);
  frame.Enter();
  if (reason.ok()) world_.lives.SaidToHaveEnded(other.number);
}

}  // namespace troupe::swarm
