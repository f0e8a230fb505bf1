#include "troupe/testing/soak/driver.h"

#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "troupe/actor/send_result.h"
#include "troupe/registry/names.h"
#include "troupe/scheduler/event.h"
#include "troupe/testing/soak/receipt.h"

namespace troupe::testing {
namespace {

// More messages do not wait because of the drivers.
constexpr int64_t kMostWaiting = 50'000;
constexpr int kItemsPerStep = 64;

}  // namespace

Driver::Driver(World* world, ActorSystem* system, int number)
    : world_(*world),
      system_(*system),
      number_(number),
      random_(world->NewSeed()) {
  next_number_.fill(1);
  thread_ = RealThreadFactory()
                .Start(absl::StrCat("driver-", number), [this] { Drive(); })
                .value();
}

void Driver::Drive() {
  const Event never;
  while (!world_.is_calm()) {
    if (world_.Waiting() < kMostWaiting) Step();
    // It is to be a load, not all that the machine can do.
    (void)never.WaitWithTimeout(absl::Microseconds(200));
  }
}

void Driver::Step() {
  switch (random_.Uniform(8)) {
    case 0:
      return SendByName();
    case 1:
      return SendPage();
    case 2:
      return SendPageWhenReady();
    case 3:
    case 4:
      return Call();
    default:
      return SendItems();
  }
}

void Driver::SendItems() {
  for (int i = 0; i < kItemsPerStep; ++i) {
    const uint64_t clerk = random_.Uniform(kClerks);
    world_.clerks[clerk].Send<Item>(world_.items,
                                    static_cast<int>(random_.Uniform(6)),
                                    number_, next_number_[clerk]++);
  }
}

void Driver::SendByName() {
  const absl::StatusOr<ActorRef<Item>> clerk = system_.Get<Names>().Find<Item>(
      absl::StrCat("soak/clerk-", random_.Uniform(kClerks)));
  // It may just be starting again.
  if (clerk.ok()) clerk->Send<Item>(world_.items, 2, -1, 0);
}

void Driver::SendPage() {
  for (int i = 0; i < kItemsPerStep; ++i) {
    world_.dropping_press.Send<Page>(world_.pages);
    if (IsRefused(world_.waiting_press.TrySend(Page(world_.pages)))) {
      world_.pages.Add(Fate::kTold);
    }
  }
}

void Driver::SendPageWhenReady() {
  const absl::Status sent =
      world_.waiting_press.SendWhenReady<Page>(world_.pages)
          .Within(absl::Milliseconds(random_.Uniform(3)))
          .Wait();
  if (!sent.ok()) world_.pages.Add(Fate::kTold);
}

void Driver::Call() {
  Receipt receipt(world_.asks);
  const absl::StatusOr<int64_t> answer =
      world_.clerks[random_.Uniform(kClerks)]
          .Call<Ask>(receipt, static_cast<int>(random_.Uniform(4)))
          .Within(absl::Milliseconds(1 + random_.Uniform(200)))
          .Wait();
  receipt.Note(answer.status());
  (answer.ok() ? world_.answers : world_.failed_calls)
      .fetch_add(1, std::memory_order_relaxed);
}

}  // namespace troupe::testing
