#include "troupe/actor/internal/awaits_world.h"

#include <functional>

#include "absl/status/statusor.h"
#include "troupe/actor/ended.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/actor/run_blocking.h"
#include "troupe/actor/when_any.h"

namespace troupe::internal {

void PageReader::Handle(const Page& page) {
  // Numbers may be missing: those were given up in the line.
  const auto sender = static_cast<size_t>(page.sender);
  if (sender >= next_.size()) next_.resize(sender + 1);
  EXPECT_GE(page.number, next_[sender]) << "of sender " << page.sender;
  next_[sender] = page.number + 1;
  world_.pages_read.fetch_add(1);
}

Task<absl::Status> SlowChild::PreStart() {
  Counted frame(world_.alive);
  auto [completer, completion] = MakeCompletion<Counted>();
  world_.Leave(std::move(completer));
  const absl::StatusOr<Counted> starts = co_await std::move(completion);
  co_return starts.status();
}

absl::Duration Walker::AnyTime() {
  switch (random_.Uniform(4)) {
    case 0:
      return absl::ZeroDuration();
    case 1:
      return absl::InfiniteDuration();
    default:
      return absl::Milliseconds(1 + random_.Uniform(3));
  }
}

Task<void> Walker::Handle(Walk walk) {
  Counted frame(world_.alive);
  for (int i = 0; i < walk.steps; ++i) co_await AwaitOne();
}

Task<void> Walker::AwaitOne() {
  Counted frame(world_.alive);
  switch (random_.Uniform(6)) {
    case 0:
      co_return co_await AwaitCompletion();
    case 1:
      co_return co_await AwaitSpace();
    case 2:
      co_return co_await AwaitEnd();
    case 3:
      co_return co_await AwaitStart();
    case 4:
      co_return co_await AwaitBlocking();
    default:
      co_return co_await AwaitAny();
  }
}

Task<void> Walker::AwaitCompletion() {
  Counted frame(world_.alive);
  auto [completer, completion] = MakeCompletion<Counted>();
  world_.Leave(std::move(completer));
  const absl::StatusOr<Counted> outcome =
      co_await std::move(completion).Within(AnyTime());
  using enum absl::StatusCode;
  world_.Expect(outcome.status(),
                {kOk, kCancelled, kDataLoss, kDeadlineExceeded});
}

Task<void> Walker::AwaitSpace() {
  Counted frame(world_.alive);
  const ActorRef<Page> reader = world_.reader();
  const absl::Status sent =
      co_await reader.SendWhenReady<Page>(world_.alive, number_, pages_++)
          .Within(AnyTime());
  using enum absl::StatusCode;
  world_.Expect(sent, {kOk, kAborted, kNotFound, kDeadlineExceeded});
  if (sent.ok()) world_.pages_admitted.fetch_add(1);
}

Task<void> Walker::AwaitEnd() {
  Counted frame(world_.alive);
  const ActorRef<Walk> other =
      world_.walker(static_cast<int>(random_.Uniform(AwaitsWorld::kWalkers)));
  // Two that await each other must not do so for ever.
  const absl::StatusOr<ExitReason> why =
      co_await Ended(other).Within(absl::Milliseconds(random_.Uniform(3)));
  using enum absl::StatusCode;
  world_.Expect(why.status(), {kOk, kDeadlineExceeded, kFailedPrecondition});
  if (why.status().code() == kFailedPrecondition) {
    EXPECT_EQ(other, self());
  }
}

Task<void> Walker::AwaitStart() {
  Counted frame(world_.alive);
  const absl::StatusOr<ActorRef<Walk>> child =
      co_await SpawnAsync<SlowChild>(std::ref(world_)).Within(AnyTime());
  using enum absl::StatusCode;
  world_.Expect(child.status(),
                {kOk, kCancelled, kDataLoss, kDeadlineExceeded, kAborted});
  if (!child.ok()) co_return;
  child->Stop();
  const absl::StatusOr<ExitReason> why = co_await Ended(*child);
  world_.Expect(why.status(), {kOk});
}

Task<void> Walker::AwaitBlocking() {
  Counted frame(world_.alive);
  const auto closure = [counted = frame, number = random_.Uniform(10)] {
    return number;
  };
  const absl::StatusOr<uint64_t> number =
      co_await RunBlocking(closure).Within(AnyTime());
  using enum absl::StatusCode;
  world_.Expect(number.status(), {kOk, kDeadlineExceeded});
}

Task<void> Walker::AwaitAny() {
  Counted frame(world_.alive);
  (void)co_await WhenAny(AwaitCompletion(), AwaitEnd(), AwaitBlocking(),
                         AwaitStart());
}

}  // namespace troupe::internal
