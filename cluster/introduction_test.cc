// How a node and a stranger prove to each other that they know the secret of
// the cluster, item by item, and what the stranger hears before he has. The
// other end is the test; the secret is one that can be read.
#include "troupe/cluster/internal/introduction.h"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor_system.h"
#include "troupe/cluster/codec/encoder.h"
#include "troupe/cluster/in_process_transport.h"
#include "troupe/cluster/internal/cluster_testing.h"
#include "troupe/cluster/internal/items.h"
#include "troupe/cluster/internal/other_end_testing.h"
#include "troupe/cluster/internal/secret_testing.h"
#include "troupe/cluster/node_events.h"
#include "troupe/cluster/node_id.h"
#include "troupe/cluster/transport.h"
#include "troupe/scheduler/deterministic_executor.h"
#include "troupe/testing/status_matchers.h"

namespace troupe::internal {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::IsOk;
using ::testing::Not;
using testing::StatusIs;

constexpr TransportLane kControl = TransportLane::kControl;
constexpr uint64_t kIncarnation = 7;  // Of a.
const NodeId kB{"b", 5};              // As OtherEnd::Hello() says.

// What the node "a" has heard at all in that lane.
template <typename Item>
Item Last(const Line& line) {
  const std::vector<Item> items = line.heard->All<Item>(kControl);
  return items.empty() ? Item{} : items.back();
}

// The node "a", whose secret is "word".
class IntroductionTest : public ::testing::Test {
 protected:
  explicit IntroductionTest(std::vector<std::string> members = {"a"})
      : cluster_(members) {}

  void SetUp() override { Join(secret_); }
  void Join(std::shared_ptr<SharedSecret> cookie) {
    NodeOptions options = cluster_.Options("a", a_.system());
    options.incarnation = kIncarnation;
    options.cookie = std::move(cookie);
    a_.Join(std::move(options));
  }
  void PlayFor(absl::Duration how_long) {
    Executor& executor = a_.system().executor();
    (void)executor.RunUntil([] { return false; },
                            executor.clock().Now() + how_long);
  }
  void Play() { PlayFor(absl::Milliseconds(1)); }

  std::unique_ptr<Line> Connect() {
    auto line = std::make_unique<Line>();
    line->connection = transport_.Dial("a", line->heard).value();
    return line;
  }
  // Says it, and returns when a has made of it what it does.
  void Say(Line& line, const Encoder& frame) {
    line.connection->Send(kControl, std::string(frame.bytes()));
    Play();
  }
  template <typename Item>
  void Say(Line& line, const Item& item) {
    line.Say(item);
    Play();
  }
  // As b, up to the proof of a; then a hello may follow.
  void Introduce(Line& line, Introduction& b) {
    Encoder challenge;
    b.Begin(challenge);
    Say(line, challenge);
    Encoder proof;
    EXPECT_THAT(b.OnChallenge(Last<ChallengeItem>(line), proof), IsOk());
    Say(line, proof);
  }
  // The challenge of b, which has dialled.
  static ChallengeItem Challenge() {
    return {.name = "b",
            .incarnation = 5,
            .to = "a",
            .nonce = PlainSecret::Nonce("b", 1)};
  }
  // The proof for that, by one who says he is `node`.
  static ProofItem ProofOf(const Line& line, const std::string& word,
                           const NodeId& node = kB) {
    PlainSecret secret("b", {word});
    Introduction b(secret, node, "a");
    Encoder proof;
    EXPECT_THAT(b.OnChallenge(Last<ChallengeItem>(line), proof), IsOk());
    Decoder in(proof.bytes());
    EXPECT_EQ(static_cast<ItemKind>(in.ReadByte()), ItemKind::kProof);
    return ReadItem<ProofItem>(in);
  }
  // Nobody came in, all that is said to him who knocked is what strangers may
  // hear, and a says what he did.
  void ExpectRefused(const Line& line, absl::StatusCode code,
                     const ::testing::Matcher<const std::string&>& why) {
    EXPECT_TRUE(line.heard->closed());
    EXPECT_THAT(line.heard->why(),
                Introduction::ForStrangers(absl::Status(code, "not this")));
    const auto refusals = line.heard->All<RefusalItem>(kControl);
    ASSERT_EQ(refusals.size(), 1u);
    EXPECT_EQ(refusals[0].why, line.heard->why());
    EXPECT_EQ(line.heard->Count(ItemKind::kHello, kControl), 0);
    EXPECT_THAT(a_.history(), IsEmpty());
    ASSERT_FALSE(heard_.refused.empty());
    EXPECT_THAT(heard_.refused.back(), StatusIs(code, why));
  }

  TestCluster cluster_;
  const std::shared_ptr<PlainSecret> secret_ =
      std::make_shared<PlainSecret>("a", std::vector<std::string>{"word"});
  PlainSecret of_b_{"b", {"word"}};
  TestNode a_{ActorSystem::CreateOn(
      std::make_unique<DeterministicExecutor>(DeterministicExecutor::Options{}),
      {})};
  InProcessTransport transport_{cluster_.network(), a_.system().executor()};
  Refusals heard_{a_.system()};
};

// -- as the one who is dialled

//
TEST_F(IntroductionTest, WhoProvesTheSecretIsAPeer) {
  const std::unique_ptr<Line> line = Connect();
  Introduction b(of_b_, kB, "a");
  Introduce(*line, b);
  EXPECT_THAT(line->heard->Kinds(kControl),
              ElementsAre(ItemKind::kChallenge, ItemKind::kProof));
  Encoder nothing;
  EXPECT_THAT(b.OnProof(Last<ProofItem>(*line), nothing), IsOk());
  EXPECT_EQ(nothing.size(), 0u) << "the hello is next";
  EXPECT_THAT(a_.history(), IsEmpty());
  Say(*line, OtherEnd::Hello());
  EXPECT_EQ(line->heard->Count(ItemKind::kHello, kControl), 1);
  EXPECT_THAT(a_.history(), ElementsAre("up b"));
  EXPECT_THAT(heard_.refused, IsEmpty());
}

TEST_F(IntroductionTest, StrangerHearsAnIncarnationAndANonce) {
  const std::unique_ptr<Line> line = Connect();
  Play();
  EXPECT_THAT(line->heard->Kinds(kControl), IsEmpty()) << "who dials begins";
  Say(*line, Challenge());
  EXPECT_THAT(line->heard->Kinds(kControl), ElementsAre(ItemKind::kChallenge));
  const auto challenge = Last<ChallengeItem>(*line);
  EXPECT_EQ(challenge.name, "");
  EXPECT_EQ(challenge.to, "");
  EXPECT_EQ(challenge.incarnation, kIncarnation);
  EXPECT_EQ(challenge.nonce, PlainSecret::Nonce("a", 1));
}

// All that a proof is about, in this order.
TEST_F(IntroductionTest, ProofIsAboutBothEndsAndWhoGivesIt) {
  const std::unique_ptr<Line> line = Connect();
  Introduction b(of_b_, kB, "a");
  Introduce(*line, b);
  const std::string b_side = absl::StrCat(
      "\x01"
      "b\x05",
      std::string(7, '\0'), "\x20", PlainSecret::Nonce("b", 1));
  const std::string a_side = absl::StrCat(
      "\x01"
      "a\x07",
      std::string(7, '\0'), "\x20", PlainSecret::Nonce("a", 1));
  EXPECT_THAT(Last<ProofItem>(*line).proofs,
              ElementsAre(absl::StrCat("word:\x15troupe introduction 1\x08",
                                       "acceptor", b_side, a_side)));
  EXPECT_THAT(ProofOf(*line, "word").proofs,
              ElementsAre(absl::StrCat("word:\x15troupe introduction 1\x07",
                                       "dialler", b_side, a_side)));
}

TEST_F(IntroductionTest, WrongSecretIsRefusedWithWords) {
  const std::unique_ptr<Line> line = Connect();
  Say(*line, Challenge());
  Say(*line, ProofOf(*line, "other"));
  ExpectRefused(*line, absl::StatusCode::kUnauthenticated,
                AllOf(HasSubstr("'b' does not know the cookie of 'a'"),
                      HasSubstr("NodeOptions::cookie")));
}

TEST_F(IntroductionTest, WhoProvesNothingIsRefused) {
  for (int proofs = 0; proofs < 2; ++proofs) {
    const std::unique_ptr<Line> line = Connect();
    if (proofs == 0) {
      Say(*line, OtherEnd::Hello());
      ExpectRefused(*line, absl::StatusCode::kUnauthenticated,
                    HasSubstr("'b' greets and has not proven"));
    } else {
      Say(*line, Challenge());
      Say(*line, ProofItem{});
      ExpectRefused(*line, absl::StatusCode::kUnauthenticated,
                    HasSubstr("does not know the cookie"));
    }
  }
}

// All that was said in a good session, said again.
TEST_F(IntroductionTest, ReplayedProofIsNone) {
  std::unique_ptr<Line> line = Connect();
  Say(*line, Challenge());
  const ProofItem proof = ProofOf(*line, "word");
  Say(*line, proof);
  EXPECT_EQ(line->heard->Count(ItemKind::kProof, kControl), 1);
  line->connection->Close(absl::OkStatus());
  Play();
  line = Connect();
  Say(*line, Challenge());
  Say(*line, proof);
  ExpectRefused(*line, absl::StatusCode::kUnauthenticated,
                HasSubstr("does not know the cookie"));
}

TEST_F(IntroductionTest, ProofOfAnotherNameOrIncarnationIsNone) {
  for (const NodeId& node : {NodeId{"c", 5}, NodeId{"b", 6}}) {
    const std::unique_ptr<Line> line = Connect();
    ChallengeItem challenge = Challenge();
    // It is the next nonce of the one who proves.
    challenge.nonce = PlainSecret::Nonce("b", 1);
    Say(*line, challenge);
    Say(*line, ProofOf(*line, "word", node));
    ExpectRefused(*line, absl::StatusCode::kUnauthenticated,
                  HasSubstr("'b' does not know the cookie"));
  }
  // The same with the right ones is one.
  const std::unique_ptr<Line> line = Connect();
  Say(*line, Challenge());
  Say(*line, ProofOf(*line, "word"));
  EXPECT_EQ(line->heard->Count(ItemKind::kProof, kControl), 1);
}

TEST_F(IntroductionTest, WhoHasProvenToBeOneGreetsAsThat) {
  for (const bool is_name : {true, false}) {
    const std::unique_ptr<Line> line = Connect();
    PlainSecret of_b("b", {"word"});
    Introduction b(of_b, kB, "a");
    Introduce(*line, b);
    HelloItem hello = OtherEnd::Hello();
    if (is_name) {
      hello.name = "c";
    } else {
      hello.incarnation = 6;
    }
    Say(*line, hello);
    EXPECT_THAT(
        line->heard->why(),
        StatusIs(absl::StatusCode::kUnauthenticated,
                 HasSubstr(absl::StrCat("proven to be 'b/5' greets as '",
                                        is_name ? "c/5'" : "b/6'"))));
    EXPECT_EQ(line->heard->Count(ItemKind::kHello, kControl), 0);
  }
  EXPECT_THAT(a_.history(), IsEmpty());
  EXPECT_EQ(heard_.refused.size(), 2u);
}

TEST_F(IntroductionTest, WhatIsCutIsRefused) {
  std::unique_ptr<Line> line = Connect();
  Say(*line, Challenge());
  ProofItem proof = ProofOf(*line, "word");
  proof.proofs[0].pop_back();
  Say(*line, proof);
  ExpectRefused(*line, absl::StatusCode::kUnauthenticated,
                HasSubstr("does not know the cookie"));
  line = Connect();
  ChallengeItem challenge = Challenge();
  challenge.nonce.pop_back();
  Say(*line, challenge);
  ExpectRefused(*line, absl::StatusCode::kDataLoss,
                HasSubstr("a challenge of 31 bytes"));
  const std::string whole = FrameOf(Challenge());
  for (size_t size = 1; size < whole.size(); ++size) {
    line = Connect();
    line->connection->Send(kControl, whole.substr(0, size));
    Play();
    ExpectRefused(*line, absl::StatusCode::kDataLoss, Not(HasSubstr("'a'")));
  }
}

//
TEST_F(IntroductionTest, WhatIsOutOfOrderEndsIt) {
  std::unique_ptr<Line> line = Connect();
  Say(*line, ProofItem{{"word"}});
  ExpectRefused(*line, absl::StatusCode::kDataLoss,
                HasSubstr("a proof that was not asked for"));
  line = Connect();
  Say(*line, Challenge());
  Say(*line, Challenge());
  ExpectRefused(*line, absl::StatusCode::kDataLoss,
                HasSubstr("a second challenge"));
  line = Connect();
  Say(*line, Challenge());
  Say(*line, OtherEnd::Hello());
  ExpectRefused(*line, absl::StatusCode::kUnauthenticated,
                HasSubstr("greets and has not proven"));
  line = Connect();
  Say(*line, Challenge());
  Say(*line, MonitorItem{1, 2, 3});
  ExpectRefused(*line, absl::StatusCode::kDataLoss, HasSubstr("hello"));
  line = Connect();
  line->Say(Challenge(), TransportLane::kData);
  Play();
  ExpectRefused(*line, absl::StatusCode::kDataLoss, HasSubstr("hello"));
  line = Connect();
  Say(*line, Challenge());
  Say(*line, ProofItem{{"1", "2", "3"}});
  ExpectRefused(*line, absl::StatusCode::kDataLoss, HasSubstr("3 proofs"));
}

// Also of one who is a peer.
TEST_F(IntroductionTest, PeerProvesNothingAgain) {
  for (const bool is_challenge : {true, false}) {
    const std::unique_ptr<Line> line = Connect();
    PlainSecret of_b("b", {"word"});
    Introduction b(of_b, kB, "a");
    Introduce(*line, b);
    Say(*line, OtherEnd::Hello());
    ASSERT_EQ(a_.node().Peers().size(), 1u);
    if (is_challenge) {
      Say(*line, Challenge());
    } else {
      Say(*line, ProofItem{});
    }
    EXPECT_THAT(line->heard->why(), StatusIs(absl::StatusCode::kDataLoss));
    EXPECT_THAT(a_.node().Peers(), IsEmpty());
  }
}

TEST_F(IntroductionTest, WhoWantsAnotherNodeIsToldSo) {
  const std::unique_ptr<Line> line = Connect();
  ChallengeItem challenge = Challenge();
  challenge.to = "x";
  Say(*line, challenge);
  ExpectRefused(*line, absl::StatusCode::kFailedPrecondition,
                HasSubstr("'b' has dialled another node, and 'a' answers"));
}

TEST_F(IntroductionTest, WhoTakesTooLongIsRefused) {
  const std::unique_ptr<Line> line = Connect();
  Say(*line, Challenge());
  PlayFor(absl::Seconds(5));
  ExpectRefused(*line, absl::StatusCode::kDeadlineExceeded,
                HasSubstr("has not greeted within 5s"));
}

// New and old are good at both ends while one is replaced, in any order.
TEST_F(IntroductionTest, SecretIsReplacedWithoutRefusals) {
  const auto is_admitted = [this](std::vector<std::string> words_of_b) {
    const std::unique_ptr<Line> line = Connect();
    PlainSecret of_b("b", std::move(words_of_b));
    Introduction b(of_b, kB, "a");
    Introduce(*line, b);
    Encoder nothing;
    return line->heard->Count(ItemKind::kProof, kControl) == 1 &&
           b.OnProof(Last<ProofItem>(*line), nothing).ok();
  };
  EXPECT_TRUE(is_admitted({"new", "word"})) << "b has both before a";
  EXPECT_FALSE(is_admitted({"new"}));
  secret_->Replace({"new", "word"});
  EXPECT_TRUE(is_admitted({"word"}));
  EXPECT_TRUE(is_admitted({"new", "word"}));
  EXPECT_TRUE(is_admitted({"new"}));
  secret_->Replace({"new"});
  EXPECT_TRUE(is_admitted({"new", "word"})) << "a has dropped it before b";
  EXPECT_FALSE(is_admitted({"word"}));
}

// -- without a secret

class NoSecretTest : public IntroductionTest {
 protected:
  void SetUp() override { Join(nullptr); }
};

TEST_F(NoSecretTest, WhoIsChallengedAndHasNoSecretSaysSo) {
  const std::unique_ptr<Line> line = Connect();
  Say(*line, Challenge());
  EXPECT_THAT(line->heard->why(),
              StatusIs(absl::StatusCode::kUnauthenticated,
                       AllOf(HasSubstr("wants a cookie to be proven"),
                             HasSubstr("NodeOptions::cookie"))));
  EXPECT_THAT(heard_.refused, ElementsAre(line->heard->why()));
}

TEST_F(NoSecretTest, ProofThatNobodyAskedForEndsIt) {
  const std::unique_ptr<Line> line = Connect();
  Say(*line, ProofItem{});
  EXPECT_THAT(line->heard->why(), StatusIs(absl::StatusCode::kDataLoss));
}

// -- as the one who dials

class DiallingIntroductionTest : public IntroductionTest {
 protected:
  DiallingIntroductionTest() : IntroductionTest({"a", "b"}) {
    listener_ = transport_.Listen("b", house_).value();
  }
  // The first connection that a makes.
  Line& Dialled() {
    while (house_->size() == 0) Play();
    Play();
    return house_->line(0);
  }
  // As b, whom a has dialled.
  static ChallengeItem Answer() {
    return {.incarnation = 5, .nonce = PlainSecret::Nonce("b", 1)};
  }
  // a says why it does not go on, and has said nothing but that.
  void ExpectGivenUp(const Line& line, absl::StatusCode code,
                     const std::string& why) {
    EXPECT_TRUE(line.heard->closed());
    EXPECT_EQ(line.heard->Count(ItemKind::kHello, kControl), 0);
    const absl::Status said =
        line.heard->All<RefusalItem>(kControl).front().why;
    EXPECT_EQ(said, Introduction::ForStrangers(absl::Status(code, "not this")));
    EXPECT_THAT(a_.history(), IsEmpty());
    ASSERT_FALSE(heard_.failed.empty());
    EXPECT_THAT(heard_.failed.front(), StatusIs(code, HasSubstr(why)));
  }

  std::shared_ptr<House> house_ = std::make_shared<House>();
  std::unique_ptr<Listener> listener_;
};

//
TEST_F(DiallingIntroductionTest, GreetsWhoHasProvenTheSecret) {
  Line& line = Dialled();
  EXPECT_THAT(line.heard->Kinds(kControl), ElementsAre(ItemKind::kChallenge));
  const auto challenge = Last<ChallengeItem>(line);
  EXPECT_EQ(challenge.name, "a");
  EXPECT_EQ(challenge.incarnation, kIncarnation);
  EXPECT_EQ(challenge.to, "b");
  Introduction b(of_b_, kB, "");
  Encoder answer;
  ASSERT_THAT(b.OnChallenge(challenge, answer), IsOk());
  Say(line, answer);
  EXPECT_THAT(line.heard->Kinds(kControl),
              ElementsAre(ItemKind::kChallenge, ItemKind::kProof));
  Encoder proof;
  ASSERT_THAT(b.OnProof(Last<ProofItem>(line), proof), IsOk());
  Say(line, proof);
  EXPECT_EQ(line.heard->Count(ItemKind::kHello, kControl), 1);
  Say(line, OtherEnd::Hello());
  EXPECT_THAT(a_.history(), ElementsAre("up b"));
  EXPECT_THAT(heard_.failed, IsEmpty());
}

//
TEST_F(DiallingIntroductionTest, ImpostorHearsNoHello) {
  Line& line = Dialled();
  Say(line, Answer());
  Say(line, ProofItem{{"other"}});
  ExpectGivenUp(line, absl::StatusCode::kUnauthenticated,
                "'b' does not know the cookie of 'a'");
}

//
TEST_F(DiallingIntroductionTest, ItsOwnProofComesBackAsNone) {
  Line& line = Dialled();
  Say(line, Answer());
  Say(line, Last<ProofItem>(line));
  ExpectGivenUp(line, absl::StatusCode::kUnauthenticated,
                "'b' does not know the cookie of 'a'");
}

//
TEST_F(DiallingIntroductionTest, EndsAtAnythingOutOfOrder) {
  Line& line = Dialled();
  Say(line, ProofItem{{"word"}});
  ExpectGivenUp(line, absl::StatusCode::kDataLoss,
                "a proof that was not asked for");
}

TEST_F(DiallingIntroductionTest, EndsAtAHelloWithoutAProof) {
  Line& line = Dialled();
  Say(line, OtherEnd::Hello());
  ExpectGivenUp(line, absl::StatusCode::kUnauthenticated,
                "'b' greets and has not proven");
}

// Nor is it kept until he has proven something.
TEST_F(DiallingIntroductionTest, EndsAtDataBeforeTheProof) {
  Line& line = Dialled();
  line.Say(SendHead{}, TransportLane::kData);
  Play();
  ExpectGivenUp(line, absl::StatusCode::kDataLoss, "data came before a hello");
}

// Whoever answers has a dial of a's for each of his own at a.
TEST_F(DiallingIntroductionTest, ReflectedChallengeGetsNoProof) {
  Line& dialled = Dialled();
  const auto challenge = Last<ChallengeItem>(dialled);
  const std::unique_ptr<Line> line = Connect();
  ChallengeItem reflected = Challenge();
  reflected.nonce = challenge.nonce;
  Say(*line, reflected);
  ChallengeItem answer = Answer();
  answer.nonce = Last<ChallengeItem>(*line).nonce;
  Say(dialled, answer);
  // The proof for b of the connection that a has dialled.
  const auto proof = Last<ProofItem>(dialled);
  ASSERT_EQ(proof.proofs.size(), 1u);
  Say(*line, proof);
  ExpectRefused(*line, absl::StatusCode::kUnauthenticated,
                HasSubstr("'b' does not know the cookie of 'a'"));
}

// Of two connections that cross, the one that the smaller name dialled stays.
TEST_F(DiallingIntroductionTest, TwoThatCrossBothProveAndOneStays) {
  Line& dialled = Dialled();
  const std::unique_ptr<Line> line = Connect();
  Introduction as_dialler(of_b_, kB, "a");
  Introduce(*line, as_dialler);
  EXPECT_EQ(line->heard->Count(ItemKind::kProof, kControl), 1);
  Introduction as_acceptor(of_b_, kB, "");
  Encoder answer;
  ASSERT_THAT(as_acceptor.OnChallenge(Last<ChallengeItem>(dialled), answer),
              IsOk());
  Say(dialled, answer);
  Say(*line, OtherEnd::Hello());
  EXPECT_THAT(line->heard->why(), StatusIs(absl::StatusCode::kAborted));
  Encoder proof;
  ASSERT_THAT(as_acceptor.OnProof(Last<ProofItem>(dialled), proof), IsOk());
  Say(dialled, proof);
  Say(dialled, OtherEnd::Hello());
  EXPECT_THAT(a_.history(), ElementsAre("up b"));
  EXPECT_THAT(heard_.refused, IsEmpty()) << "nothing has failed";
}

// What a stranger says is not told as it is.
TEST_F(DiallingIntroductionTest, RefusalOfAStrangerIsToldInWordsThatPrint) {
  Line& line = Dialled();
  Say(line, RefusalItem{absl::AbortedError(
                absl::StrCat("go\n\x1b[2Jaway", std::string(1000, '!')))});
  ASSERT_EQ(heard_.failed.size(), 1u) << "no stranger has it not told";
  EXPECT_THAT(heard_.failed[0], StatusIs(absl::StatusCode::kUnavailable,
                                         HasSubstr("go??[2Jaway!!!")));
  EXPECT_EQ(heard_.failed[0].message().size(), 500u);
}

}  // namespace
}  // namespace troupe::internal
