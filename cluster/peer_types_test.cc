// What a peer may say of types of messages (clause 35): it introduces each
// once, and names it by a byte or two from then on, so little that it says
// tells of them again and again.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/reply_of.h"
#include "troupe/base/log.h"
#include "troupe/cluster/codec/encoder.h"
#include "troupe/cluster/codec/shape.h"
#include "troupe/cluster/in_process_transport.h"
#include "troupe/cluster/internal/cluster_testing.h"
#include "troupe/cluster/internal/items.h"
#include "troupe/cluster/internal/other_end_testing.h"
#include "troupe/cluster/node.h"
#include "troupe/cluster/transport.h"
#include "troupe/cluster/wire_type.h"
#include "troupe/scheduler/deterministic_executor.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using internal::FailureItem;
using internal::Line;
using internal::OtherEnd;
using internal::TestCluster;
using internal::TestNode;
using internal::TypeItem;
using ::testing::Each;
using ::testing::HasSubstr;
using testing::IsOk;
using ::testing::Le;
using ::testing::Not;
using ::testing::SizeIs;
using testing::StatusIs;

constexpr TransportLane kData = TransportLane::kData;
// Of a failure, as it crosses.
constexpr size_t kFewBytes = 2048;

struct Count {
  static constexpr absl::string_view kWireName = "test.Count";
  using Reply = int64_t;
};
class Counter : public Actor<Count> {
 public:
  int64_t Handle(const Count&) { return 7; }
};

// What is logged of messages that are not handled.
class Log final : public LogSink {
 public:
  void Send(const LogEntry& entry) override {
    const std::string line(entry.text_message());
    if (line.find("does not take") != std::string::npos) lines.push_back(line);
  }
  std::vector<std::string> lines;
};

class PeerTypesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    a_.Join(cluster_.Options("a", a_.system()));
    const Counter::Ref counter = a_.system().Spawn<Counter>().value();
    ASSERT_THAT(a_.node().Export("counter", counter), IsOk());
    counter_ = counter.id().value();
    peer_.connection = transport_.Dial("a", peer_.heard).value();
    peer_.Say(OtherEnd::Hello());
    Play();
  }
  void Play() {
    Executor& executor = a_.system().executor();
    (void)executor.RunUntil([] { return false; },
                            executor.clock().Now() + absl::Milliseconds(1));
  }
  void Introduce(const std::string& name, const std::string& shape,
                 const std::string& reply_shape = "") {
    peer_.Say(TypeItem{0, name, shape, reply_shape}, kData);
  }
  // Calls the actor with the type that was introduced.
  void Call(int times = 1) {
    Encoder frame;
    for (int i = 0; i < times; ++i) {
      internal::AppendItem(
          internal::CallHead{counter_, 0, ++calls_,
                             absl::ToInt64Nanoseconds(absl::Hours(1)), 0},
          "", frame);
    }
    peer_.connection->Send(kData, std::string(frame.bytes()));
    Play();
  }
  std::vector<FailureItem> Failures() {
    return peer_.heard->All<FailureItem>();
  }
  void ExpectEnd(absl::string_view why) {
    Play();
    EXPECT_THAT(peer_.heard->why(), StatusIs(absl::StatusCode::kDataLoss,
                                             HasSubstr(std::string(why))));
  }

  Log log_;
  TestCluster cluster_{{"a"}};
  TestNode a_{ActorSystem::CreateOn(
      std::make_unique<DeterministicExecutor>(DeterministicExecutor::Options{}),
      {.logger = Logger(&log_)})};
  InProcessTransport transport_{cluster_.network(), a_.system().executor()};
  Line peer_;
  uint64_t counter_ = 0;
  uint64_t calls_ = 0;
};

TEST_F(PeerTypesTest, AnUnknownOneIsNamedInFewWords) {
  Introduce(std::string(kMaxTypeNameBytes, 'n'), "s");
  Call();
  ASSERT_THAT(Failures(), SizeIs(1));
  EXPECT_THAT(Failures()[0].status, StatusIs(absl::StatusCode::kInvalidArgument,
                                             HasSubstr("take nnnn")));
  EXPECT_THAT(internal::FrameOf(Failures()[0]), SizeIs(Le(600)));
}

TEST_F(PeerTypesTest, ADifferenceIsToldInFewWords) {
  Introduce("test.Count", "(" + std::string(60'000, 's') + ")!",
            ShapeOf<OutcomeOf<Count>>());
  Call();
  ASSERT_THAT(Failures(), SizeIs(1));
  EXPECT_THAT(Failures()[0].status,
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("the shapes differ")));
  EXPECT_THAT(internal::FrameOf(Failures()[0]), SizeIs(Le(kFewBytes)));
}

TEST_F(PeerTypesTest, ALongNameEndsTheSession) {
  Introduce(std::string(kMaxTypeNameBytes + 1, 'n'), "s");
  ExpectEnd("a name of 1025 bytes");
}

TEST_F(PeerTypesTest, ALongShapeEndsTheSession) {
  Introduce("test.Count", std::string(kMaxShapeBytes + 1, 's'));
  ExpectEnd("a shape of 65537 bytes");
}

TEST_F(PeerTypesTest, ALongShapeOfAReplyEndsTheSession) {
  Introduce("test.Count", "s", std::string(kMaxShapeBytes + 1, 's'));
  ExpectEnd("a shape of 65537 bytes");
}

// Each may be long, but not all of them together.
TEST_F(PeerTypesTest, TooManyLongShapesEndTheSession) {
  const std::string longest(kMaxShapeBytes, 's');
  constexpr uint64_t kFit = (size_t{64} << 20) / (2 * kMaxShapeBytes) - 1;
  for (uint64_t i = 0; i <= kFit; ++i) {
    ASSERT_THAT(peer_.heard->why(), IsOk()) << i;
    peer_.Say(TypeItem{i, "unknown", longest, longest}, kData);
    Play();
  }
  ExpectEnd("types of more than 67108864 bytes");
}

// Each is a dead letter, and each caller hears of it.
TEST_F(PeerTypesTest, WhatIsNotHandledFillsNoLog) {
  Introduce("test.\nOdd", "s");
  Call(300);
  EXPECT_THAT(Failures(), SizeIs(300));
  EXPECT_THAT(log_.lines, SizeIs(100));
  EXPECT_THAT(log_.lines, Each(Not(HasSubstr("\n"))));
}

// -- of the own node

TEST(WireTypesTest, LongOnesAreNotLearned) {
  static const std::string* const name =
      new std::string(kMaxTypeNameBytes + 1, 'n');
  static const WireType* const type = [] {
    auto* const made = new WireType(internal::MakeWireType<Count>());
    made->name = *name;
    return made;
  }();
  static const WireType* const wide = [] {
    auto* const made = new WireType(internal::MakeWireType<Count>());
    made->reply_shape = std::string(kMaxShapeBytes + 1, 's');
    return made;
  }();
  WireTypes types;
  EXPECT_THAT(types.Learn(WireTypeList(&type, 1)),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("has a name of 1025 bytes on the wire, and "
                                 "may have 1024")));
  EXPECT_THAT(types.Learn(WireTypeList(&wide, 1)),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("has a shape of 65537 bytes, and may have "
                                 "65536")));
  EXPECT_EQ(types.Find("test.Count"), nullptr);
}

}  // namespace
}  // namespace troupe
