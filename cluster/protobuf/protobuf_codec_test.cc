#include "troupe/cluster/protobuf/protobuf_codec.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "google/protobuf/util/message_differencer.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/protocol.h"
#include "troupe/cluster/codec/codec.h"
#include "troupe/cluster/codec/decoder.h"
#include "troupe/cluster/codec/encoder.h"
#include "troupe/cluster/codec/shape.h"
#include "troupe/cluster/internal/cluster_testing.h"
#include "troupe/cluster/node.h"
#include "troupe/cluster/protobuf/testing.pb.h"
#include "troupe/cluster/protobuf/testing_required.pb.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using google::protobuf::util::MessageDifferencer;
using testing::Everything;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::Little;
using testing::Point;
using testing::StatusIs;
using testing::Strict;

Point PointAt(int64_t x, int64_t y) {
  Point point;
  point.set_x(x);
  point.set_y(y);
  return point;
}

Everything All() {
  Everything all;
  all.set_number(-7);
  all.set_text("text");
  all.set_raw(std::string("\0\xff", 2));
  all.set_real(0.5);
  for (int i = 0; i < 20; ++i) {
    all.add_numbers(i - 10);
    all.add_texts(std::string(i, 't'));
    *all.add_points() = PointAt(i, -i);
    (*all.mutable_by_name())[std::string(i, 'n')] = i;
    (*all.mutable_by_number())[i] = PointAt(i, i);
    all.add_flags(i % 2 == 0);
    all.add_reals(i);
    all.add_loose(i);
  }
  *all.mutable_place() = PointAt(1, 2);
  const Everything copy = all;
  *all.mutable_inner() = copy;
  return all;
}

template <typename M>
std::string Encoded(const M& message) {
  Encoder out;
  Encode(message, out);
  EXPECT_THAT(out.status(), IsOk());
  return std::string(out.bytes());
}
template <typename M>
absl::StatusOr<M> Decoded(absl::string_view bytes) {
  Decoder in(bytes);
  M message;
  const absl::Status status = Decode(in, message);
  if (!status.ok()) return status;
  return message;
}
// Protobuf's own bytes, as a message has them.
std::string Sized(const std::string& bytes) {
  Encoder out;
  out.WriteBytes(bytes);
  return std::string(out.bytes());
}

//
TEST(ProtobufCodecTest, MessagesCrossAsTheyAre) {
  const Everything all = All();
  const absl::StatusOr<Everything> crossed = Decoded<Everything>(Encoded(all));
  ASSERT_THAT(crossed, IsOk());
  EXPECT_TRUE(MessageDifferencer::Equals(*crossed, all));
  EXPECT_THAT(Decoded<Point>(Encoded(Point())), IsOk());
}

TEST(ProtobufCodecTest, TheyCrossWithinOthers) {
  struct Route {
    std::vector<Point> points;
    std::optional<Point> end;
    std::string name;
  };
  const Route route{{PointAt(1, 2), PointAt(3, 4)}, PointAt(5, 6), "north"};
  const absl::StatusOr<Route> crossed = Decoded<Route>(Encoded(route));
  ASSERT_THAT(crossed, IsOk());
  ASSERT_EQ(crossed->points.size(), 2);
  EXPECT_EQ(crossed->points[1].y(), 4);
  EXPECT_EQ(crossed->end->x(), 5);
  EXPECT_EQ(crossed->name, "north");
  EXPECT_EQ(ShapeOf<Route>(),
            "([\"troupe.testing.Point\"]?\"troupe.testing.Point\"s)");
}

TEST(ProtobufCodecTest, TheNameIsTheFullOne) {
  EXPECT_EQ(WireName<Point>::Get(), "troupe.testing.Point");
  EXPECT_EQ(ShapeOf<Point>(), "\"troupe.testing.Point\"");
}

TEST(ProtobufCodecTest, UnknownFieldsAreKept) {
  const Everything all = All();
  const absl::StatusOr<Little> little = Decoded<Little>(Encoded(all));
  ASSERT_THAT(little, IsOk());
  EXPECT_EQ(little->number(), -7);
  const absl::StatusOr<Everything> back = Decoded<Everything>(Encoded(*little));
  ASSERT_THAT(back, IsOk());
  EXPECT_TRUE(MessageDifferencer::Equals(*back, all));
}

TEST(ProtobufCodecTest, EqualMessagesHaveEqualBytes) {
  Everything one;
  Everything other;
  for (int i = 0; i < 1000; ++i) {
    (*one.mutable_by_number())[i] = PointAt(i, i);
    (*other.mutable_by_number())[999 - i] = PointAt(999 - i, 999 - i);
  }
  EXPECT_EQ(Encoded(one), Encoded(other));
}

TEST(ProtobufCodecTest, WhatIsRequiredIsNotLeftOut) {
  Strict strict;
  Encoder out;
  Encode(strict, out);
  EXPECT_THAT(out.status(),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("a troupe.testing.Strict misses number")));
  EXPECT_THAT(Decoded<Strict>(Sized("")).status(),
              StatusIs(absl::StatusCode::kDataLoss,
                       HasSubstr("a troupe.testing.Strict misses number")));
  strict.set_number(3);
  strict.add_entry()->set_text("in a group");
  strict.SetExtension(testing::extra, "extra");
  const absl::StatusOr<Strict> crossed = Decoded<Strict>(Encoded(strict));
  ASSERT_THAT(crossed, IsOk());
  EXPECT_TRUE(MessageDifferencer::Equals(*crossed, strict));
}

TEST(ProtobufCodecTest, DepthIsLimited) {
  const auto nested = [](int levels) {
    Everything all;
    Everything* inner = &all;
    for (int i = 1; i < levels; ++i) inner = inner->mutable_inner();
    return all;
  };
  EXPECT_THAT(Decoded<Everything>(Encoded(nested(64))), IsOk());
  Encoder out;
  Encode(nested(65), out);
  EXPECT_THAT(out.status(), StatusIs(absl::StatusCode::kInvalidArgument,
                                     HasSubstr("more than 64 deep")));
  EXPECT_THAT(Decoded<Everything>(Sized(nested(65).SerializeAsString())),
              StatusIs(absl::StatusCode::kDataLoss));
  // Groups that nobody knows.
  EXPECT_THAT(Decoded<Little>(Sized(std::string(1000, '\x13'))),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("64 deep")));
}

TEST(ProtobufCodecTest, WhatMakesNoSenseIsAnError) {
  const std::string whole = All().SerializeAsString();
  for (size_t size = 0; size < whole.size(); ++size) {
    // An error or, where a field ends, another message.
    const std::string part = whole.substr(0, size);
    EXPECT_EQ(Decoded<Everything>(Sized(part)).ok(),
              Everything().ParseFromString(part));
  }
  for (const absl::string_view bytes : {
           absl::string_view("\x00", 1),          // The number 0.
           absl::string_view("\x0e", 1),          // A kind that there is not.
           absl::string_view("\x14", 1),          // An end without a begin.
           absl::string_view("\x13\x1c", 2),      // The end of another group.
           absl::string_view("\x13", 1),          // No end.
           absl::string_view("\x12\x01\xff", 3),  // No UTF-8.
           absl::string_view("\x12\x05x", 3),
       }) {
    EXPECT_THAT(Decoded<Everything>(Sized(std::string(bytes))),
                StatusIs(absl::StatusCode::kDataLoss));
  }
}

// -- across nodes

struct Move {
  static constexpr absl::string_view kWireName = "test.Move";
  using Reply = Point;
  Point by;
};
struct PawnApi : Protocol<Point, Move> {};

class Pawn : public Actor<PawnApi> {
 public:
  void Handle(const Point& m) { at_ = m; }
  Point Handle(const Move& m) {
    at_.set_x(at_.x() + m.by.x());
    at_.set_y(at_.y() + m.by.y());
    return at_;
  }

 private:
  Point at_;
};

//
TEST(ProtobufNodeTest, MessagesAndCallsCross) {
  internal::TestCluster cluster({"a", "b"});
  const auto a = cluster.Start("a");
  const auto b = cluster.Start("b");
  a->AwaitPeer("b");
  const Pawn::Ref pawn = b->system().Spawn<Pawn>().value();
  ASSERT_THAT(b->node().Export("pawn", pawn), IsOk());
  const ActorRef<PawnApi> far =
      a->node().ResolveAndWait<PawnApi>("pawn@b").value();
  far.Send(PointAt(10, 20));
  const absl::StatusOr<Point> moved = far.Call<Move>(PointAt(1, 2)).Wait();
  ASSERT_THAT(moved, IsOk());
  EXPECT_TRUE(MessageDifferencer::Equals(*moved, PointAt(11, 22)));
}

}  // namespace
}  // namespace troupe
