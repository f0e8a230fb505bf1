// Messages that are too long for a turn (clause 17): while one is written, read
// or freed, and that takes as long as it likes, the session serves all others;
// and order, failures and ends are as those of short ones.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/delivery.h"
#include "troupe/actor/protocol.h"
#include "troupe/actor/task.h"
#include "troupe/cluster/codec/codec.h"
#include "troupe/cluster/internal/cluster_testing.h"
#include "troupe/cluster/internal/offloader.h"
#include "troupe/cluster/node.h"
#include "troupe/cluster/ref_codec.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using internal::TestCluster;
using internal::TestNode;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::IsOk;
using testing::IsOkAndHolds;
using testing::StatusIs;

constexpr size_t kLong = 2 * internal::kLongBytes;

// Where a long message waits while it is closed.
class Gate {
 public:
  void Pass() ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    ++arrived_;
    mu_.Await(absl::Condition(&open_));
  }
  void Close() ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    open_ = false;
    arrived_ = 0;
  }
  void Open() ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    open_ = true;
  }
  // Waits until one waits here, or has passed since Close().
  void AwaitOne() ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    const auto so = [this] {
      mu_.AssertReaderHeld();
      return arrived_ != 0;
    };
    mu_.Await(absl::Condition(&so));
  }
  int arrived() ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    return arrived_;
  }

 private:
  absl::Mutex mu_;
  bool open_ ABSL_GUARDED_BY(mu_) = true;
  int arrived_ ABSL_GUARDED_BY(mu_) = 0;
};

Gate& writing() {
  static Gate* const gate = new Gate;
  return *gate;
}
Gate& reading() {
  static Gate* const gate = new Gate;
  return *gate;
}
Gate& freeing() {
  static Gate* const gate = new Gate;
  return *gate;
}

// What cannot be written, or read.
constexpr int64_t kUnwritable = -1;
constexpr int64_t kUnreadable = -2;

// Waits at the gates if it is long.
struct Heavy {
  static constexpr absl::string_view kWireName = "test.Heavy";
  Heavy() = default;
  Heavy(int64_t number_given, std::string text_given)
      : number(number_given), text(std::move(text_given)), was_sent(true) {}
  Heavy(Heavy&& other) noexcept
      : number(other.number),
        text(std::move(other.text)),
        was_sent(std::exchange(other.was_sent, false)) {}
  Heavy& operator=(Heavy&& other) noexcept {
    number = other.number;
    text = std::move(other.text);
    was_sent = std::exchange(other.was_sent, false);
    return *this;
  }
  ~Heavy() {
    if (was_sent && IsLong()) freeing().Pass();
  }
  bool IsLong() const { return text.size() >= kLong; }

  int64_t number = 0;
  std::string text;
  bool was_sent = false;  // It is no copy that came.
};

std::string Text(size_t size = kLong) {
  std::string text(size, 'x');
  for (size_t i = 0; i < size; i += 1000) text[i] = static_cast<char>(i / 1000);
  return text;
}

}  // namespace

template <>
struct Codec<Heavy> {
  static void Encode(const Heavy& heavy, Encoder& out) {
    Codec<int64_t>::Encode(heavy.number, out);
    Codec<std::string>::Encode(heavy.text, out);
    // An encoder that only looks whether it is long has given up by now.
    if (out.ok() && heavy.IsLong()) writing().Pass();
    if (heavy.number == kUnwritable) {
      out.Fail(absl::InvalidArgumentError("it is unwritable"));
    }
  }
  static void Decode(Decoder& in, Heavy& heavy) {
    Codec<int64_t>::Decode(in, heavy.number);
    Codec<std::string>::Decode(in, heavy.text);
    if (heavy.IsLong()) reading().Pass();
    if (heavy.number == kUnreadable) in.Fail("it is unreadable");
  }
  static void Describe(ShapeBuilder& shape) { shape.Add("\"Heavy\""); }
};

namespace {

// Answers with its number.
struct AskHeavily {
  static constexpr absl::string_view kWireName = "test.AskHeavily";
  using Reply = int64_t;
  Heavy heavy;
};
struct AskForHeavy {
  static constexpr absl::string_view kWireName = "test.AskForHeavy";
  using Reply = Heavy;
  int64_t number = 0;
};
struct Numbers {
  static constexpr absl::string_view kWireName = "test.Numbers";
  using Reply = std::vector<int64_t>;
};
struct Small {
  static constexpr absl::string_view kWireName = "test.Small";
  using Reply = int64_t;
  int64_t number = 0;
};
// Asks `whom`, and answers as that does.
struct AskAround {
  static constexpr absl::string_view kWireName = "test.AskAround";
  using Reply = absl::StatusOr<int64_t>;
  std::string text;
  std::vector<ActorRef<Small>> whom;
};
struct ReaderApi
    : Protocol<Heavy, AskHeavily, AskForHeavy, Numbers, AskAround> {};

class Reader : public Actor<ReaderApi> {
 public:
  void Handle(const Heavy& m) { Note(m); }
  int64_t Handle(const AskHeavily& m) {
    Note(m.heavy);
    return m.heavy.number;
  }
  Heavy Handle(AskForHeavy m) { return Heavy(m.number, Text()); }
  std::vector<int64_t> Handle(Numbers) { return numbers_; }
  Task<absl::StatusOr<int64_t>> Handle(AskAround m) {
    int64_t sum = 0;
    for (const ActorRef<Small>& actor : m.whom) {
      const absl::StatusOr<int64_t> answer = co_await actor.Call<Small>(1);
      if (!answer.ok()) co_return answer.status();
      sum += *answer;
    }
    co_return sum;
  }

 private:
  void Note(const Heavy& heavy) {
    const bool is_intact = !heavy.IsLong() || heavy.text == Text();
    numbers_.push_back(is_intact ? heavy.number : -100);
  }

  std::vector<int64_t> numbers_;
};

class Echo : public Actor<Small> {
 public:
  int64_t Handle(Small m) { return m.number; }
};

class LongMessageTest : public ::testing::Test {
 protected:
  LongMessageTest() {
    for (Gate* const gate : {&writing(), &reading(), &freeing()}) {
      gate->Close();
      gate->Open();
    }
    a_->AwaitPeer("b");
    EXPECT_THAT(b_->node().Export("reader", reader_), IsOk());
    EXPECT_THAT(b_->node().Export("echo", ActorRef<Small>(echo_)), IsOk());
    far_ = a_->node().ResolveAndWait<ReaderApi>("reader@b").value();
    small_ = a_->node().ResolveAndWait<Small>("echo@b").value();
  }

  // All that was sent in the data lane has come, and been answered.
  void ExpectSmallIsServed() {
    EXPECT_THAT(small_.Call<Small>(3).Wait(), IsOkAndHolds(3));
  }

  TestCluster cluster_{{"a", "b", "c"}};
  std::unique_ptr<TestNode> a_ = cluster_.Start("a");
  std::unique_ptr<TestNode> b_ = cluster_.Start("b");
  const Reader::Ref reader_ = b_->system().Spawn<Reader>().value();
  const Echo::Ref echo_ = b_->system().Spawn<Echo>().value();
  ActorRef<ReaderApi> far_;
  ActorRef<Small> small_;
};

TEST_F(LongMessageTest, OthersAreServedWhileItIsWritten) {
  writing().Close();
  far_.Send<Heavy>(1, Text());
  writing().AwaitOne();
  ExpectSmallIsServed();
  writing().Open();
  EXPECT_THAT(far_.Call<Numbers>().Wait(), IsOkAndHolds(ElementsAre(1)));
  EXPECT_EQ(writing().arrived(), 1) << "it was written more than once";
}

// §17
TEST_F(LongMessageTest, OthersAreServedWhileItIsReadAndOrderIsKept) {
  reading().Close();
  far_.Send<Heavy>(1, Text());
  far_.Send<Heavy>(2, "short");
  reading().AwaitOne();
  ExpectSmallIsServed();
  EXPECT_THAT(reader_.Call<Numbers>().Wait(), IsOkAndHolds(IsEmpty()));
  reading().Open();
  EXPECT_THAT(far_.Call<Numbers>().Wait(), IsOkAndHolds(ElementsAre(1, 2)));
  EXPECT_EQ(reading().arrived(), 1) << "it was read more than once";
}

TEST_F(LongMessageTest, OthersAreServedWhileItIsFreed) {
  freeing().Close();
  far_.Send<Heavy>(1, Text());
  freeing().AwaitOne();
  ExpectSmallIsServed();
  EXPECT_THAT(far_.Call<Numbers>().Wait(), IsOkAndHolds(ElementsAre(1)));
  freeing().Open();
}

TEST_F(LongMessageTest, OthersAreServedWhileAnAnswerIsWrittenAndRead) {
  for (Gate* const gate : {&writing(), &reading(), &freeing()}) {
    gate->Close();
    auto call = far_.Call<AskForHeavy>(7).Start();
    gate->AwaitOne();
    ExpectSmallIsServed();
    gate->Open();
    const absl::StatusOr<Heavy> answer = std::move(call).Wait();
    ASSERT_THAT(answer.status(), IsOk());
    EXPECT_EQ(answer->number, 7);
    EXPECT_EQ(answer->text, Text());
  }
}

// Other long ones have to wait for it, and come in order.
TEST_F(LongMessageTest, SeveralComeOneAfterTheOther) {
  const Reader::Ref other = b_->system().Spawn<Reader>().value();
  EXPECT_THAT(b_->node().Export("other", other), IsOk());
  const ActorRef<ReaderApi> far_other =
      a_->node().ResolveAndWait<ReaderApi>("other@b").value();
  writing().Close();
  for (int64_t i = 0; i < 3; ++i) {
    far_.Send<Heavy>(i, Text());
    far_other.Send<Heavy>(10 + i, Text());
  }
  writing().AwaitOne();
  ExpectSmallIsServed();
  EXPECT_EQ(writing().arrived(), 1);
  writing().Open();
  EXPECT_THAT(far_.Call<Numbers>().Wait(), IsOkAndHolds(ElementsAre(0, 1, 2)));
  EXPECT_THAT(far_other.Call<Numbers>().Wait(),
              IsOkAndHolds(ElementsAre(10, 11, 12)));
}

// §23
TEST_F(LongMessageTest, CallThatIsGivenUpWhileItIsWrittenIsNotSent) {
  writing().Close();
  {
    const auto call = far_.Call<AskHeavily>(Heavy(1, Text()))
                          .Within(absl::InfiniteDuration())
                          .Start();
    writing().AwaitOne();
  }
  ExpectSmallIsServed();  // Behind what cancels it.
  writing().Open();
  EXPECT_THAT(far_.Call<Numbers>().Wait(), IsOkAndHolds(IsEmpty()));
  EXPECT_EQ(a_->system().dead_letters(), 1);
}

TEST_F(LongMessageTest, WhatCannotBeWrittenOrReadFails) {
  const auto unwritable =
      far_.Call<AskHeavily>(Heavy(kUnwritable, Text())).Wait();
  EXPECT_THAT(unwritable.status(),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("cannot cross: it is unwritable")));
  EXPECT_EQ(Delivery(unwritable.status()), DeliveryState::kNotDelivered);
  const auto unreadable =
      far_.Call<AskHeavily>(Heavy(kUnreadable, Text())).Wait();
  EXPECT_THAT(unreadable.status(), StatusIs(absl::StatusCode::kInvalidArgument,
                                            HasSubstr("makes no sense")));
  const auto no_answer = far_.Call<AskForHeavy>(kUnwritable).Wait();
  EXPECT_THAT(no_answer.status(),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("the answer cannot cross: it is unwritable")));
  const auto senseless = far_.Call<AskForHeavy>(kUnreadable).Wait();
  EXPECT_THAT(senseless.status(), StatusIs(absl::StatusCode::kDataLoss,
                                           HasSubstr("makes no sense")));
  EXPECT_THAT(far_.Call<AskHeavily>(Heavy(1, Text())).Wait(), IsOkAndHolds(1));
  EXPECT_THAT(far_.Call<Numbers>().Wait(), IsOkAndHolds(ElementsAre(1)));
}

// Of the writer's node, the reader's, and one that is introduced.
TEST_F(LongMessageTest, ReferencesCross) {
  const std::unique_ptr<TestNode> c = cluster_.Start("c");
  a_->AwaitPeer("c");
  b_->AwaitPeer("c");
  const Echo::Ref there = c->system().Spawn<Echo>().value();
  EXPECT_THAT(c->node().Export("there", ActorRef<Small>(there)), IsOk());
  const ActorRef<Small> third =
      a_->node().ResolveAndWait<Small>("there@c").value();
  const Echo::Ref here = a_->system().Spawn<Echo>().value();
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(
        far_.Call<AskAround>(Text(),
                             std::vector<ActorRef<Small>>{here, small_, third})
            .Wait(),
        IsOkAndHolds(3));
  }
}

// §28
TEST_F(LongMessageTest, EndOfTheSessionFailsWhatIsWritten) {
  writing().Close();
  auto call = far_.Call<AskHeavily>(Heavy(1, Text()))
                  .Within(absl::InfiniteDuration())
                  .Start();
  writing().AwaitOne();
  b_->Leave();
  writing().Open();
  EXPECT_THAT(std::move(call).Wait().status(),
              StatusIs(absl::StatusCode::kUnavailable));
  a_->AwaitPeer("b", false);
}

// The session is killed, and who writes or reads finds nobody who wants it.
TEST_F(LongMessageTest, KilledSessionFailsWhatIsWrittenOrRead) {
  for (Gate* const gate : {&writing(), &reading()}) {
    TestCluster cluster({"d", "e"});
    auto d = cluster.Start("d");
    auto e = cluster.Start("e");
    const Reader::Ref reader = e->system().Spawn<Reader>().value();
    EXPECT_THAT(e->node().Export("reader", reader), IsOk());
    d->AwaitPeer("e");
    const auto far = d->node().ResolveAndWait<ReaderApi>("reader@e").value();
    gate->Close();
    auto call = far.Call<AskHeavily>(Heavy(1, Text()))
                    .Within(absl::InfiniteDuration())
                    .Start();
    gate->AwaitOne();
    TestNode& busy = gate == &writing() ? *d : *e;
    (void)busy.system().Shutdown(absl::ZeroDuration());
    gate->Open();
    EXPECT_THAT(std::move(call).Wait().status(),
                StatusIs(absl::StatusCode::kUnavailable));
  }
}

}  // namespace
}  // namespace troupe
