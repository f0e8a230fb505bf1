// What a resident awaits.
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "troupe/actor/call.h"
#include "troupe/actor/ended.h"
#include "troupe/actor/pending_send.h"
#include "troupe/actor/sleep.h"
#include "troupe/testing/swarm/cluster/resident.h"

namespace troupe::cluster_swarm {

Task<void> Resident::Await(Deed deed, uint32_t depth) {
  switch (deed) {
    case Deed::kCall:
      if (depth < kDeepest) co_await AwaitCall(depth);
      break;
    case Deed::kCallAndGiveUp:
      if (depth < kDeepest) co_await AwaitNothing(depth);
      break;
    case Deed::kSleep:
      (void)co_await Sleep(world_.SomeTime());
      break;
    case Deed::kAwaitSpace:
      co_await AwaitSpace();
      break;
    case Deed::kAwaitEnd:
      co_await AwaitEnd();
      break;
    case Deed::kResolve:
      co_await AwaitName(depth);
      break;
    case Deed::kPublishWhenReady:
      co_await AwaitPublish();
      break;
    case Deed::kStart:
      co_await AwaitStart();
      break;
    case Deed::kReport:
      co_await AwaitReport();
      break;
    default:
      break;
  }
}

Task<void> Resident::AwaitCall(uint32_t depth) {
  const Acquaintance other = SomebodyKnown();
  const absl::Duration within = world_.SomeTime();
  OpenCall open(world_.calls, world_.calls.Made(number_, other.number, within));
  auto call = RefTo(other).Call<Question>(Counted(), open.number(),
                                          other.number, depth, SomebodyKnown());
  const absl::StatusOr<Answer> answer = co_await std::move(call).Within(within);
  if (answer.ok()) {
    open.End(answer->call);
    Meet(answer->brings);
  } else {
    open.End(answer.status());
  }
}

Task<void> Resident::AwaitNothing(uint32_t depth) {
  const Acquaintance other = SomebodyKnown();
  OpenCall open(world_.calls,
                world_.calls.Made(number_, other.number, absl::Seconds(10)));
  auto call = RefTo(other)
                  .Call<Question>(Counted(), open.number(), other.number, depth,
                                  SomebodyKnown())
                  .Within(absl::Seconds(10))
                  .Start();
  DoSome();
  if (world_.Uniform(2) == 0) (void)co_await Sleep(world_.SomeTime());
}

Task<void> Resident::AwaitSpace() {
  const Acquaintance other = SomebodyKnown();
  const Parcel parcel = PackFor(other, Way::kWhenReady, /*surely=*/false);
  auto send = RefTo(other).SendWhenReady<Parcel>(parcel);
  (void)co_await std::move(send).Within(world_.SomeTime());
}

Task<void> Resident::AwaitEnd() {
  const Acquaintance other = SomebodyKnown();
  const Epoch epoch = world_.lives.EpochOf(number_, other.number);
  const absl::StatusOr<ExitReason> reason =
      co_await Ended(other.ref).Within(world_.SomeTime());
  if (reason.ok()) {
    world_.watches.SaidToHaveEnded(number_, other.number, epoch, *reason);
  }
}

Task<void> Resident::AwaitName(uint32_t depth) {
  if (home_.node == nullptr) co_return;  // It leaves.
  const std::string node =
      World::HostName(world_.Uniform(world_.features.nodes()));
  const uint64_t index = world_.Uniform(world_.features.founders());
  const Resolving resolving(world_);
  const absl::StatusOr<ResidentRef> found =
      co_await home_.node->Resolve<ResidentApi>(
          absl::StrCat("r", index, "@", node));
  // In a request it would be the deadline of that.
  if (depth == 0 && absl::IsDeadlineExceeded(found.status())) {
    world_.calls.WaitedInVain(number_);
  }
  if (!found.ok()) co_return;
  const Number who = world_.lives.NumberOf(found->id());
  if (who == 0 || world_.sessions.id(world_.lives.run(who)).name != node) {
    world_.journal.Break(kReachesNoOther,
                         absl::StrCat("r", index, "@", node, " is #", who));
  }
  world_.journal.Note("has resolved", number_, who);
  Meet({*found, who});
}

}  // namespace troupe::cluster_swarm
