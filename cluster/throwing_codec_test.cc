// Codecs of users that throw: what they throw at is not written, or makes no
// sense, and all else goes on. Clause 18.
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_ref.h"
#include "troupe/actor/delivery.h"
#include "troupe/actor/protocol.h"
#include "troupe/cluster/codec/codec.h"
#include "troupe/cluster/codec/decoder.h"
#include "troupe/cluster/codec/encoder.h"
#include "troupe/cluster/codec/shape.h"
#include "troupe/cluster/internal/cluster_testing.h"
#include "troupe/cluster/internal/group_testing.h"
#include "troupe/cluster/node.h"
#include "troupe/cluster/ref_codec.h"
#include "troupe/registry/groups.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

constexpr absl::string_view kUnwritable = "unwritable";
constexpr absl::string_view kUnreadable = "unreadable";

struct Fragile {
  std::string text;
};

}  // namespace

template <>
struct Codec<Fragile> {
  static void Encode(const Fragile& fragile, Encoder& out) {
    out.WriteBytes(fragile.text);
    if (fragile.text == kUnwritable) throw std::runtime_error("no ink");
  }
  static void Decode(Decoder& in, Fragile& fragile) {
    const absl::string_view text = in.ReadBytes();
    fragile.text = std::string(text);
    if (fragile.text == kUnreadable) throw std::runtime_error("no glasses");
  }
  static void Describe(ShapeBuilder& shape) { shape.Add("\"Fragile\""); }
};

namespace {

using internal::GroupWatch;
using internal::TestCluster;
using internal::TestNode;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::StatusIs;

struct Tell {
  static constexpr absl::string_view kWireName = "test.Tell";
  Fragile what;
};
struct Ask {
  static constexpr absl::string_view kWireName = "test.Ask";
  using Reply = Fragile;
  Fragile what;
  std::string answer;
};
struct Told {
  static constexpr absl::string_view kWireName = "test.Told";
  using Reply = std::vector<std::string>;
};
struct EarApi : Protocol<Tell, Ask, Told> {};

class Ear : public Actor<EarApi> {
 public:
  void Handle(const Tell& m) { told_.push_back(m.what.text); }
  Fragile Handle(const Ask& m) { return {m.answer}; }
  std::vector<std::string> Handle(Told) { return told_; }

 private:
  std::vector<std::string> told_;
};

class ThrowingCodecTest : public ::testing::Test {
 protected:
  void SetUp() override {
    a_->AwaitPeer("b");
    b_->AwaitPeer("a");
    ASSERT_THAT(b_->node().Export("ear", ear_), IsOk());
    far_ = a_->node().ResolveAndWait<EarApi>("ear@b").value();
  }
  void TearDown() override {
    // It is the session that there was.
    EXPECT_THAT(a_->history(), ElementsAre("up b"));
    EXPECT_THAT(b_->history(), ElementsAre("up a"));
  }
  absl::StatusOr<Fragile> AskFar(absl::string_view what,
                                 absl::string_view answer) {
    const Fragile fragile{std::string(what)};
    return far_.Call<Ask>(fragile, std::string(answer)).Wait();
  }

  TestCluster cluster_{{"a", "b"}};
  std::unique_ptr<TestNode> a_ = cluster_.Start("a");
  std::unique_ptr<TestNode> b_ = cluster_.Start("b");
  const Ear::Ref ear_ = b_->system().Spawn<Ear>().value();
  ActorRef<EarApi> far_;
};

TEST_F(ThrowingCodecTest, MessagesAreDeadLettersAmongGoodOnes) {
  far_.Send<Tell>(Fragile{"first"});
  far_.Send<Tell>(Fragile{std::string(kUnwritable)});
  far_.Send<Tell>(Fragile{std::string(kUnreadable)});
  far_.Send<Tell>(Fragile{"last"});
  const auto told = far_.Call<Told>().Wait();
  ASSERT_THAT(told, IsOk());
  EXPECT_THAT(*told, ElementsAre("first", "last"));
  EXPECT_EQ(a_->system().dead_letters(), 1);
  EXPECT_EQ(b_->system().dead_letters(), 1);
}

TEST_F(ThrowingCodecTest, CallsFailAtOnce) {
  const auto unwritten = AskFar(kUnwritable, "yes");
  EXPECT_THAT(unwritten.status(),
              StatusIs(absl::StatusCode::kUnknown,
                       HasSubstr("cannot cross: exception: no ink")));
  EXPECT_EQ(Delivery(unwritten), DeliveryState::kNotDelivered);
  const auto unread = AskFar(kUnreadable, "yes");
  EXPECT_THAT(unread.status(),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("makes no sense: exception: no glasses")));
  EXPECT_EQ(Delivery(unread), DeliveryState::kNotDelivered);
  const auto good = AskFar("good", "yes");
  ASSERT_THAT(good, IsOk());
  EXPECT_EQ(good->text, "yes");
}

TEST_F(ThrowingCodecTest, AnswersFailTheirCalls) {
  const auto unwritten = AskFar("good", kUnwritable);
  EXPECT_THAT(unwritten.status(),
              StatusIs(absl::StatusCode::kUnknown,
                       HasSubstr("answer cannot cross: exception: no ink")));
  EXPECT_EQ(Delivery(unwritten), DeliveryState::kUnknown);
  const auto unread = AskFar("good", kUnreadable);
  EXPECT_THAT(unread.status(),
              StatusIs(absl::StatusCode::kDataLoss,
                       HasSubstr("makes no sense: exception: no glasses")));
  EXPECT_EQ(Delivery(unread), DeliveryState::kUnknown);
}

TEST_F(ThrowingCodecTest, WhatIsForManyIsADeadLetterAmongGoodOnes) {
  const Group<EarApi> ears("ears");
  for (TestNode* const node : {a_.get(), b_.get()}) {
    ASSERT_THAT(node->node().Share(ears), IsOk());
  }
  GroupWatch there(b_->system());
  ASSERT_THAT(there.groups().Join(ears, ear_), IsOk());
  GroupWatch here(a_->system());
  here.AwaitMembers(ears, 1);
  for (const absl::string_view text :
       {absl::string_view("first"), kUnwritable, kUnreadable,
        absl::string_view("last")}) {
    here.groups().Send<Tell>(ears, Fragile{std::string(text)});
  }
  const auto told = far_.Call<Told>().Wait();
  ASSERT_THAT(told, IsOk());
  EXPECT_THAT(*told, ElementsAre("first", "last"));
  EXPECT_EQ(a_->system().dead_letters(), 1);
  EXPECT_EQ(b_->system().dead_letters(), 1);
}

}  // namespace
}  // namespace troupe
