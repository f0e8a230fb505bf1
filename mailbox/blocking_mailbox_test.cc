// Clause numbers are those of docs/semantics.md.
#include "troupe/mailbox/blocking_mailbox.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/base/clock.h"
#include "troupe/base/internal/time_of_day_testing.h"
#include "troupe/mailbox/capacity.h"
#include "troupe/mailbox/envelope.h"
#include "troupe/mailbox/envelope_list.h"
#include "troupe/testing/status_matchers.h"
#include "troupe/testing/test_clocks.h"

namespace troupe {
namespace {

using ::testing::AllOf;
using testing::AnnouncingClock;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::IsOk;
using testing::StatusIs;
using testing::SteppingClock;

constexpr MonotonicTime kNever = MonotonicTime::InfiniteFuture();
constexpr MonotonicTime kAtOnce = MonotonicTime::InfinitePast();
constexpr uint64_t kSmallBytes = 64;

// A message of one cache line, and one of two.
struct Small {
  int value;
};
struct Large {
  int value;
  std::array<char, 100> filler = {};
};

int ValueOf(Envelope& envelope) {
  if (const Large* large = envelope.TryAs<Large>()) return large->value;
  return envelope.As<Small>().value;
}

std::vector<int> ValuesOf(EnvelopeList list) {
  std::vector<int> values;
  while (const EnvelopePtr envelope = list.Pop()) {
    values.push_back(ValueOf(*envelope));
  }
  return values;
}

// All that is there now.
std::vector<int> ReceiveAll(BlockingMailbox& mailbox) {
  std::vector<int> values;
  while (const EnvelopePtr envelope = mailbox.TryReceive()) {
    values.push_back(ValueOf(*envelope));
  }
  return values;
}

TEST(BlockingMailboxTest, MessagesComeInTheOrderSent) {
  BlockingMailbox mailbox;
  for (int i : {1, 2, 3}) EXPECT_THAT(mailbox.Send<Small>(i), IsOk());
  EXPECT_THAT(ReceiveAll(mailbox), ElementsAre(1, 2, 3));
}

TEST(BlockingMailboxTest, UrgentMessagesOvertakeInTheirOwnOrder) {
  BlockingMailbox mailbox;
  EXPECT_THAT(mailbox.Send<Small>(1), IsOk());
  EXPECT_THAT(mailbox.SendUrgent<Small>(2), IsOk());
  EXPECT_THAT(mailbox.Send<Small>(3), IsOk());
  EXPECT_THAT(mailbox.SendUrgent<Small>(4), IsOk());
  EXPECT_THAT(ReceiveAll(mailbox), ElementsAre(2, 4, 1, 3));
}

TEST(BlockingMailboxTest, ReceivedEnvelopeTellsItsLane) {
  BlockingMailbox mailbox;
  EXPECT_THAT(mailbox.Send<Small>(1), IsOk());
  EXPECT_THAT(mailbox.SendUrgent<Small>(2), IsOk());
  EXPECT_EQ(mailbox.TryReceive()->lane, Lane::kUrgent);
  EXPECT_EQ(mailbox.TryReceive()->lane, Lane::kNormal);
}

TEST(BlockingMailboxTest, PassedDeadlineStillReceivesWhatIsThere) {
  BlockingMailbox mailbox;
  EXPECT_THAT(mailbox.Send<Small>(1), IsOk());
  const absl::StatusOr<EnvelopePtr> received = mailbox.Receive(kAtOnce);
  ASSERT_THAT(received, IsOk());
  EXPECT_EQ(ValueOf(**received), 1);
  EXPECT_THAT(mailbox.Receive(kAtOnce),
              StatusIs(absl::StatusCode::kDeadlineExceeded));
}

TEST(BlockingMailboxTest, ReceiveTellsHowLongItWaited) {
  // By this clock a millisecond passes in each wait, however long it takes.
  const SteppingClock clock(absl::Milliseconds(1));
  BlockingMailbox mailbox({.clock = &clock});
  EXPECT_THAT(mailbox.Receive(MonotonicTime() + absl::Milliseconds(4)),
              StatusIs(absl::StatusCode::kDeadlineExceeded,
                       AllOf(HasSubstr("empty"), HasSubstr("3ms"),
                             HasSubstr("receive again"))));
}

// Lets a thread receive while this one does `act`, once that one waits.
template <typename Act>
absl::StatusOr<EnvelopePtr> ReceiveWhile(Act act) {
  const AnnouncingClock clock(RealClock());
  BlockingMailbox mailbox({.clock = &clock});
  absl::StatusOr<EnvelopePtr> received;
  std::thread receiver([&] { received = mailbox.Receive(kNever); });
  clock.WaitUntilAsked();
  act(mailbox);
  receiver.join();
  return received;
}

TEST(BlockingMailboxTest, WaitingReceiverGetsAMessageThatComes) {
  const absl::StatusOr<EnvelopePtr> received =
      ReceiveWhile([](BlockingMailbox& mailbox) {
        EXPECT_THAT(mailbox.Send<Small>(1), IsOk());
      });
  ASSERT_THAT(received, IsOk());
  EXPECT_EQ(ValueOf(**received), 1);
}

TEST(BlockingMailboxTest, WaitingReceiverGetsAnUrgentMessageThatComes) {
  const absl::StatusOr<EnvelopePtr> received =
      ReceiveWhile([](BlockingMailbox& mailbox) {
        EXPECT_THAT(mailbox.SendUrgent<Small>(1), IsOk());
      });
  ASSERT_THAT(received, IsOk());
  EXPECT_EQ(ValueOf(**received), 1);
}

TEST(BlockingMailboxTest, WaitingReceiverIsToldOfTheShut) {
  EXPECT_THAT(ReceiveWhile([](BlockingMailbox& mailbox) { mailbox.Shut(); }),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr("shut"), HasSubstr("stop receiving"))));
}

TEST(BlockingMailboxTest, WaitingReceiverIsToldOfTheClose) {
  EXPECT_THAT(ReceiveWhile([](BlockingMailbox& mailbox) {
                EXPECT_TRUE(mailbox.Close().empty());
              }),
              StatusIs(absl::StatusCode::kFailedPrecondition));
}

// §21: reject.
TEST(BlockingMailboxTest, RejectRefusesWhatDoesNotFit) {
  BlockingMailbox mailbox(
      {.capacity = {.messages = 1, .policy = OverflowPolicy::kReject}});
  EXPECT_THAT(mailbox.Send<Small>(1), IsOk());
  EXPECT_THAT(mailbox.Send<Small>(2),
              StatusIs(absl::StatusCode::kResourceExhausted,
                       AllOf(HasSubstr("Small (64 bytes)"),
                             HasSubstr("1 messages and unlimited bytes"),
                             HasSubstr("send it later"))));
  // A deadline is for those who may wait.
  EXPECT_THAT(mailbox.SendWithDeadline<Small>(kNever, 3),
              StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_THAT(ReceiveAll(mailbox), ElementsAre(1));
}

// §21: by bytes.
TEST(BlockingMailboxTest, BytesAreLimitedToo) {
  BlockingMailbox mailbox({.capacity = {.bytes = 3 * kSmallBytes,
                                        .policy = OverflowPolicy::kReject}});
  EXPECT_THAT(mailbox.Send<Large>(1), IsOk());
  EXPECT_THAT(mailbox.Send<Large>(2),
              StatusIs(absl::StatusCode::kResourceExhausted,
                       AllOf(HasSubstr("Large (128 bytes)"),
                             HasSubstr("unlimited messages and 192 bytes"))));
  EXPECT_THAT(mailbox.Send<Small>(3), IsOk());
  EXPECT_THAT(ReceiveAll(mailbox), ElementsAre(1, 3));
}

TEST(BlockingMailboxTest, MessageLargerThanTheLimitIsAnInvalidArgument) {
  BlockingMailbox mailbox({.capacity = {.bytes = kSmallBytes}});
  EXPECT_THAT(
      mailbox.SendWithDeadline<Large>(kNever, 1),
      StatusIs(absl::StatusCode::kInvalidArgument,
               AllOf(HasSubstr("Large takes 128 bytes"), HasSubstr("holds 64"),
                     HasSubstr("raise Capacity::bytes"))));
}

// §21: drop newest. What is dropped is handed on (§18).
TEST(BlockingMailboxTest, DropNewestHandsOverTheNewOne) {
  std::vector<int> dropped;
  BlockingMailbox mailbox(
      {.capacity = {.messages = 1, .policy = OverflowPolicy::kDropNewest},
       .on_dropped = [&dropped](EnvelopePtr envelope) {
         dropped.push_back(ValueOf(*envelope));
       }});
  for (int i : {1, 2, 3}) EXPECT_THAT(mailbox.Send<Small>(i), IsOk());
  EXPECT_THAT(dropped, ElementsAre(2, 3));
  EXPECT_THAT(ReceiveAll(mailbox), ElementsAre(1));
}

// §21: drop oldest.
TEST(BlockingMailboxTest, DropOldestHandsOverTheOldestInOrder) {
  std::vector<int> dropped;
  BlockingMailbox mailbox({.capacity = {.bytes = 3 * kSmallBytes,
                                        .policy = OverflowPolicy::kDropOldest},
                           .on_dropped = [&dropped](EnvelopePtr envelope) {
                             dropped.push_back(ValueOf(*envelope));
                           }});
  for (int i : {1, 2, 3}) EXPECT_THAT(mailbox.Send<Small>(i), IsOk());
  EXPECT_THAT(mailbox.Send<Large>(4), IsOk());
  EXPECT_THAT(dropped, ElementsAre(1, 2));
  EXPECT_THAT(ReceiveAll(mailbox), ElementsAre(3, 4));
}

TEST(BlockingMailboxTest, DroppedMessageMayBeSentOn) {
  BlockingMailbox rest;
  BlockingMailbox mailbox(
      {.capacity = {.messages = 1, .policy = OverflowPolicy::kDropNewest},
       .on_dropped = [&](EnvelopePtr envelope) {
         EXPECT_THAT(rest.Send(std::move(envelope)), IsOk());
         EXPECT_THAT(mailbox.SendUrgent<Small>(3), IsOk());
       }});
  for (int i : {1, 2}) EXPECT_THAT(mailbox.Send<Small>(i), IsOk());
  EXPECT_THAT(ReceiveAll(rest), ElementsAre(2));
  EXPECT_THAT(ReceiveAll(mailbox), ElementsAre(3, 1));
}

// §21: a synchronous sender to an awaiting mailbox is rejected.
TEST(BlockingMailboxTest, SendDoesNotWaitForSpace) {
  BlockingMailbox mailbox({.capacity = {.messages = 1}});
  EXPECT_THAT(mailbox.Send<Small>(1), IsOk());
  EXPECT_THAT(mailbox.Send<Small>(2),
              StatusIs(absl::StatusCode::kResourceExhausted,
                       HasSubstr("wait for it with SendWithDeadline()")));
}

// §21: await space.
TEST(BlockingMailboxTest, SenderWaitsUntilThereIsSpace) {
  const AnnouncingClock clock(RealClock());
  BlockingMailbox mailbox({.capacity = {.messages = 1}, .clock = &clock});
  EXPECT_THAT(mailbox.Send<Small>(1), IsOk());
  std::thread sender(
      [&] { EXPECT_THAT(mailbox.SendWithDeadline<Small>(kNever, 2), IsOk()); });
  clock.WaitUntilAsked();
  EXPECT_EQ(ValueOf(*mailbox.TryReceive()), 1);
  sender.join();
  EXPECT_EQ(ValueOf(*mailbox.TryReceive()), 2);
}

TEST(BlockingMailboxTest, SenderWaitsUntilItsDeadline) {
  const SteppingClock clock(absl::Milliseconds(1));
  BlockingMailbox mailbox({.capacity = {.messages = 1}, .clock = &clock});
  EXPECT_THAT(mailbox.Send<Small>(1), IsOk());
  EXPECT_THAT(
      mailbox.SendWithDeadline<Small>(
          MonotonicTime() + absl::Microseconds(3500), 2),
      StatusIs(absl::StatusCode::kDeadlineExceeded,
               AllOf(HasSubstr("Small (64 bytes)"), HasSubstr("1 messages"),
                     HasSubstr("allow more time"))));
  EXPECT_EQ(clock.Now(), MonotonicTime() + absl::Milliseconds(5));
  EXPECT_THAT(ReceiveAll(mailbox), ElementsAre(1));
}

// Nor is a wait shorter or longer when somebody sets the time of day.
TEST(BlockingMailboxTest, WaitsByTheMonotonicClock) {
  constexpr absl::Duration kAWhile = absl::Milliseconds(20);
  for (const absl::Duration ahead : {absl::Hours(1), -absl::Hours(1)}) {
    const internal::SetTimeOfDay set(ahead);
    BlockingMailbox mailbox({.capacity = {.messages = 1}});
    MonotonicTime deadline = RealClock().Now() + kAWhile;
    EXPECT_THAT(mailbox.Receive(deadline),
                StatusIs(absl::StatusCode::kDeadlineExceeded));
    EXPECT_GE(RealClock().Now(), deadline);
    EXPECT_THAT(mailbox.Send<Small>(1), IsOk());
    deadline = RealClock().Now() + kAWhile;
    EXPECT_THAT(mailbox.SendWithDeadline<Small>(deadline, 2),
                StatusIs(absl::StatusCode::kDeadlineExceeded));
    EXPECT_GE(RealClock().Now(), deadline);
  }
}

TEST(BlockingMailboxTest, DeadlineDoesNotMatterWhereThereIsSpace) {
  BlockingMailbox mailbox({.capacity = {.messages = 1}});
  EXPECT_THAT(mailbox.SendWithDeadline<Small>(kAtOnce, 1), IsOk());
}

TEST(BlockingMailboxTest, RefusedEnvelopeStaysWithTheCaller) {
  BlockingMailbox mailbox({.capacity = {.messages = 1}});
  EXPECT_THAT(mailbox.Send<Small>(1), IsOk());
  EnvelopePtr envelope(MakeEnvelope<Small>(2));
  EXPECT_THAT(mailbox.Send(std::move(envelope)),
              StatusIs(absl::StatusCode::kResourceExhausted));
  ASSERT_NE(envelope, nullptr);
  EXPECT_THAT(mailbox.SendWithDeadline(kAtOnce, std::move(envelope)),
              StatusIs(absl::StatusCode::kDeadlineExceeded));
  ASSERT_NE(envelope, nullptr);
  EXPECT_EQ(ValueOf(*mailbox.TryReceive()), 1);
  EXPECT_THAT(mailbox.Send(std::move(envelope)), IsOk());
  EXPECT_EQ(envelope, nullptr);

  mailbox.Shut();
  envelope = mailbox.TryReceive();
  EXPECT_THAT(mailbox.SendUrgent(std::move(envelope)),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  ASSERT_NE(envelope, nullptr);
  EXPECT_EQ(ValueOf(*envelope), 2);
}

TEST(BlockingMailboxTest, EnvelopeFromElsewhereIsSentOn) {
  BlockingMailbox mailbox;
  EnvelopePtr envelope(MakeEnvelope<Small>(1));
  envelope->target = 17;  // Of some other queue.
  envelope->lane = Lane::kUrgent;
  EXPECT_THAT(mailbox.Send(std::move(envelope)), IsOk());
  EXPECT_THAT(mailbox.SendUrgent<Small>(2), IsOk());
  EXPECT_THAT(ReceiveAll(mailbox), ElementsAre(2, 1));
}

// §21: only the normal lane is bounded.
TEST(BlockingMailboxTest, FullMailboxTakesUrgentMessages) {
  BlockingMailbox mailbox({.capacity = {.messages = 1, .bytes = kSmallBytes}});
  EXPECT_THAT(mailbox.Send<Small>(1), IsOk());
  for (int i : {2, 3}) EXPECT_THAT(mailbox.SendUrgent<Large>(i), IsOk());
  EXPECT_THAT(ReceiveAll(mailbox), ElementsAre(2, 3, 1));
}

TEST(BlockingMailboxTest, ShutMailboxStillGivesOutWhatItTook) {
  BlockingMailbox mailbox;
  EXPECT_THAT(mailbox.Send<Small>(1), IsOk());
  EXPECT_THAT(mailbox.SendUrgent<Small>(2), IsOk());

  mailbox.Shut();

  EXPECT_THAT(
      mailbox.Send<Small>(3),
      StatusIs(absl::StatusCode::kFailedPrecondition,
               AllOf(HasSubstr("Small was not sent"), HasSubstr("stop"))));
  EXPECT_THAT(mailbox.SendWithDeadline<Small>(kNever, 3),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(mailbox.SendUrgent<Small>(3),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  for (int i : {2, 1}) {
    const absl::StatusOr<EnvelopePtr> received = mailbox.Receive(kNever);
    ASSERT_THAT(received, IsOk());
    EXPECT_EQ(ValueOf(**received), i);
  }
  EXPECT_THAT(mailbox.Receive(kNever),
              StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST(BlockingMailboxTest, ClosingHandsBackWhatWasQueued) {
  BlockingMailbox mailbox;
  EXPECT_THAT(mailbox.Send<Small>(1), IsOk());
  EXPECT_THAT(mailbox.SendUrgent<Small>(2), IsOk());
  EXPECT_THAT(mailbox.Send<Small>(3), IsOk());

  EXPECT_THAT(ValuesOf(mailbox.Close()), ElementsAre(2, 1, 3));

  EXPECT_THAT(mailbox.Send<Small>(4),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(mailbox.SendUrgent<Small>(4),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(mailbox.Receive(kNever),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_EQ(mailbox.TryReceive(), nullptr);
  EXPECT_THAT(ValuesOf(mailbox.Close()), IsEmpty());
  mailbox.Shut();
  EXPECT_THAT(ValuesOf(mailbox.Close()), IsEmpty());
}

TEST(BlockingMailboxTest, EverySenderThatWaitsIsToldOfTheClose) {
  const AnnouncingClock clock(RealClock());
  BlockingMailbox mailbox({.capacity = {.messages = 1}, .clock = &clock});
  EXPECT_THAT(mailbox.Send<Small>(1), IsOk());
  std::vector<std::thread> senders;
  for (int i : {2, 3}) {
    senders.emplace_back([&mailbox, i] {
      EXPECT_THAT(mailbox.SendWithDeadline<Small>(kNever, i),
                  StatusIs(absl::StatusCode::kFailedPrecondition));
    });
  }
  clock.WaitUntilAsked(/*times=*/2);
  EXPECT_THAT(ValuesOf(mailbox.Close()), ElementsAre(1));
  for (std::thread& sender : senders) sender.join();
}

TEST(BlockingMailboxTest, MessagesOutliveTheThreadThatSentThem) {
  BlockingMailbox mailbox;
  std::thread([&] {
    for (int i : {1, 2}) EXPECT_THAT(mailbox.Send<Small>(i), IsOk());
    EXPECT_THAT(mailbox.Send<Large>(3), IsOk());
    EXPECT_THAT(mailbox.SendUrgent<Small>(4), IsOk());
  }).join();
  EXPECT_THAT(ReceiveAll(mailbox), ElementsAre(4, 1, 2, 3));
}

TEST(BlockingMailboxTest, MessagesOutliveTheThreadThatReceivedThem) {
  BlockingMailbox mailbox;
  EXPECT_THAT(mailbox.Send<Small>(1), IsOk());
  EnvelopePtr received;
  std::thread([&] { received = mailbox.TryReceive(); }).join();
  EXPECT_EQ(ValueOf(*received), 1);
}

// A message of that size and alignment whose bytes are all written and read.
template <size_t kBytes, size_t kAlignment>
struct alignas(kAlignment) Blob {
  explicit Blob(char fill) { bytes.fill(fill); }
  std::array<char, kBytes> bytes;
};

template <typename B>
void ExpectTravelsWhole() {
  SCOPED_TRACE(std::string(kMessageType<B>.name));
  BlockingMailbox mailbox;
  EXPECT_THAT(mailbox.Send<B>('a'), IsOk());
  EXPECT_THAT(mailbox.SendUrgent<B>('b'), IsOk());
  for (char fill : {'b', 'a'}) {
    const EnvelopePtr envelope = mailbox.TryReceive();
    ASSERT_NE(envelope, nullptr);
    const B* const blob = envelope->TryAs<B>();
    ASSERT_NE(blob, nullptr);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(blob) % alignof(B), 0u);
    EXPECT_THAT(blob->bytes, ::testing::Each(fill));
  }
}

TEST(BlockingMailboxTest, PayloadsOfAnySizeTravelWhole) {
  ExpectTravelsWhole<Blob<40, 8>>();  // The last that shares a cache line.
  ExpectTravelsWhole<Blob<48, 8>>();
  ExpectTravelsWhole<Blob<4072, 8>>();  // The last of the pool's.
  ExpectTravelsWhole<Blob<4080, 8>>();
  ExpectTravelsWhole<Blob<100'000, 1>>();
}

TEST(BlockingMailboxTest, PayloadsAreAlignedUpToACacheLine) {
  ExpectTravelsWhole<Blob<16, 16>>();
  ExpectTravelsWhole<Blob<32, 32>>();
  ExpectTravelsWhole<Blob<64, 64>>();
  ExpectTravelsWhole<Blob<8192, 64>>();
}

TEST(BlockingMailboxTest, MoveOnlyMessageTravels) {
  BlockingMailbox mailbox;
  auto number = std::make_unique<int>(7);
  EXPECT_THAT(mailbox.Send<std::unique_ptr<int>>(std::move(number)), IsOk());
  const EnvelopePtr envelope = mailbox.TryReceive();
  EXPECT_EQ(*envelope->As<std::unique_ptr<int>>(), 7);
}

TEST(BlockingMailboxTest, MessageThatCannotMoveIsBuiltInPlace) {
  struct Pinned {
    explicit Pinned(Pinned** where) { *where = this; }
    Pinned(Pinned&&) = delete;
  };
  BlockingMailbox mailbox;
  Pinned* built = nullptr;
  EXPECT_THAT(mailbox.Send<Pinned>(&built), IsOk());
  EXPECT_EQ(mailbox.TryReceive()->TryAs<Pinned>(), built);
}

// Counts the objects of its type that live.
class Counted {
 public:
  explicit Counted(int* live) : live_(live) { ++*live_; }
  Counted(const Counted& other) : live_(other.live_) { ++*live_; }
  ~Counted() { --*live_; }

 private:
  int* live_;
};

// Its member lives when the constructor throws.
struct Refusing {
  explicit Refusing(int* live) : member(live) {
    throw std::invalid_argument("refused");
  }
  Counted member;
};

TEST(BlockingMailboxTest, ExceptionOfAConstructorReachesTheSender) {
  int live = 0;
  BlockingMailbox mailbox;
  EXPECT_THROW(mailbox.Send<Refusing>(&live).IgnoreError(),
               std::invalid_argument);
  EXPECT_THROW(mailbox.SendWithDeadline<Refusing>(kNever, &live).IgnoreError(),
               std::invalid_argument);
  EXPECT_THROW(mailbox.SendUrgent<Refusing>(&live).IgnoreError(),
               std::invalid_argument);
  EXPECT_EQ(live, 0);
  EXPECT_EQ(mailbox.TryReceive(), nullptr);
}

TEST(BlockingMailboxTest, RefusedMessageIsDestroyed) {
  int live = 0;
  BlockingMailbox mailbox({.capacity = {.messages = 1}});
  EXPECT_THAT(mailbox.Send<Counted>(&live), IsOk());
  EXPECT_THAT(mailbox.Send<Counted>(&live),
              StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_EQ(live, 1);
}

TEST(BlockingMailboxTest, DroppedMessageIsDestroyedUnlessHandedOver) {
  for (OverflowPolicy policy :
       {OverflowPolicy::kDropNewest, OverflowPolicy::kDropOldest}) {
    int live = 0;
    BlockingMailbox mailbox({.capacity = {.messages = 1, .policy = policy}});
    for (int i = 0; i < 3; ++i) {
      EXPECT_THAT(mailbox.Send<Counted>(&live), IsOk());
    }
    EXPECT_EQ(live, 1);
  }
}

TEST(BlockingMailboxTest, DestroyingItDestroysWhatIsLeft) {
  int live = 0;
  {
    BlockingMailbox mailbox;
    EXPECT_THAT(mailbox.Send<Counted>(&live), IsOk());
    EXPECT_THAT(mailbox.SendUrgent<Counted>(&live), IsOk());
    EXPECT_EQ(live, 2);
  }
  EXPECT_EQ(live, 0);
}

TEST(BlockingMailboxDeathTest, SecondReceiverThatWaitsIsRefused) {
  EXPECT_DEATH(
      {
        const AnnouncingClock clock(RealClock());
        BlockingMailbox mailbox({.clock = &clock});
        std::thread first([&] { mailbox.Receive(kNever).IgnoreError(); });
        clock.WaitUntilAsked();
        mailbox.Receive(kNever).IgnoreError();
        first.join();
      },
      "one receiver at a time");
}

TEST(BlockingMailboxDeathTest, InvalidCapacityIsRefusedAtOnce) {
  EXPECT_DEATH(BlockingMailbox({.capacity = {.messages = 0}}), "messages is 0");
}

}  // namespace
}  // namespace troupe
