#include "troupe/cluster/internal/directory.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/base/clock.h"
#include "troupe/cluster/node_id.h"
#include "troupe/scheduler/deterministic_executor.h"
#include "troupe/testing/status_matchers.h"

namespace troupe::internal {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::IsOk;
using testing::StatusIs;

// Notes that it is asked to end.
class Speaker : public Actor<EndSession> {
 public:
  explicit Speaker(std::vector<std::string>& ended, std::string name)
      : ended_(ended), name_(std::move(name)) {}
  void Handle(EndSession m) {
    ended_.push_back(absl::StrCat(name_, ": ", m.why.message()));
  }

 private:
  std::vector<std::string>& ended_;
  const std::string name_;
};

class DirectoryTest : public ::testing::Test {
 protected:
  static constexpr uint64_t kNow = 10;

  SessionRef New(std::string name) {
    return system_->Spawn<Speaker>(std::ref(ended_), std::move(name)).value();
  }
  absl::Status Accept(Directory& directory, std::string peer,
                      const SessionRef& actor, uint64_t session,
                      uint64_t after = 0, uint64_t incarnation = kNow) {
    return directory.Enter({.peer = {std::move(peer), incarnation},
                            .session = session,
                            .dialled_here = false,
                            .after = after,
                            .actor = actor});
  }
  absl::Status Dialled(Directory& directory, std::string peer,
                       const SessionRef& actor, uint64_t session) {
    return directory.Enter({.peer = {std::move(peer), kNow},
                            .session = session,
                            .dialled_here = true,
                            .after = 0,
                            .actor = actor});
  }
  // What was asked to end so far.
  std::vector<std::string> Ended() {
    (void)system_->executor().RunUntil([] { return false; },
                                       MonotonicTime::InfiniteFuture());
    return std::exchange(ended_, {});
  }

  std::vector<std::string> ended_;
  std::unique_ptr<ActorSystem> system_ =
      ActorSystem::CreateOn(std::make_unique<DeterministicExecutor>(
                                DeterministicExecutor::Options{.seed = 1}),
                            {});
  Directory m_{{"m", kNow}};
};

TEST_F(DirectoryTest, OneSessionWithEachPeer) {
  EXPECT_THAT(Accept(m_, "a", New("1"), 1), IsOk());
  EXPECT_THAT(Accept(m_, "z", New("2"), 2), IsOk());
  EXPECT_THAT(Accept(m_, "a", New("3"), 3),
              StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_THAT(m_.Peers(), ElementsAre(NodeId{"a", kNow}, NodeId{"z", kNow}));
  EXPECT_THAT(Ended(), IsEmpty());
}

TEST_F(DirectoryTest, NodeDoesNotTalkToItself) {
  EXPECT_THAT(Accept(m_, "m", New("1"), 1),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("dialled itself")));
  EXPECT_THAT(
      Accept(m_, "m", New("2"), 2, 0, kNow + 1),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("has the name")));
}

TEST_F(DirectoryTest, OnlyOneDialsAtATime) {
  const SessionRef one = New("1");
  EXPECT_TRUE(m_.BeginDial("a", one));
  EXPECT_FALSE(m_.BeginDial("a", New("2")));
  m_.EndDial("a", New("3"));  // Somebody else's.
  EXPECT_FALSE(m_.BeginDial("a", New("4")));
  m_.EndDial("a", one);
  EXPECT_TRUE(m_.BeginDial("a", New("5")));
}

TEST_F(DirectoryTest, NobodyDialsWhereThereIsASession) {
  const SessionRef one = New("1");
  ASSERT_THAT(Accept(m_, "a", one, 1), IsOk());
  EXPECT_FALSE(m_.BeginDial("a", New("2")));
  m_.Leave({"a", kNow}, one);
  EXPECT_TRUE(m_.BeginDial("a", New("2")));
}

// both ends keep the connection that the smaller name
// dialled.
TEST_F(DirectoryTest, OfTwoThatCrossTheSmallerNamesStays) {
  // "a" dials "m", which dials "a".
  const SessionRef own = New("own");
  ASSERT_TRUE(m_.BeginDial("a", own));
  const SessionRef accepted = New("accepted");
  EXPECT_THAT(Accept(m_, "a", accepted, 1), IsOk());
  EXPECT_THAT(Ended(), ElementsAre("own: 'a' has connected anew"));
  EXPECT_THAT(Dialled(m_, "a", own, 2),
              StatusIs(absl::StatusCode::kAlreadyExists));
  // "z" dials "m", which dials "z".
  const SessionRef to_z = New("to z");
  ASSERT_TRUE(m_.BeginDial("z", to_z));
  EXPECT_THAT(Accept(m_, "z", New("from z"), 3),
              StatusIs(absl::StatusCode::kAborted,
                       HasSubstr("is dialling 'z' itself")));
  EXPECT_THAT(Dialled(m_, "z", to_z, 4), IsOk());
  EXPECT_THAT(Ended(), IsEmpty());
}

//
TEST_F(DirectoryTest, PeerThatKnowsOfTheLossMayComeAgain) {
  const SessionRef lost = New("lost");
  ASSERT_THAT(Accept(m_, "a", lost, 7), IsOk());
  // One that was under way before knows nothing of it.
  EXPECT_THAT(Accept(m_, "a", New("crossing"), 8),
              StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_THAT(Ended(), IsEmpty());
  const SessionRef anew = New("anew");
  EXPECT_THAT(Accept(m_, "a", anew, 9, /*after=*/7),
              StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(Ended(), ElementsAre("lost: 'a' has connected anew"));
  m_.Leave({"a", kNow}, lost);
  EXPECT_EQ(m_.LastSession("a"), 7);
  EXPECT_THAT(Accept(m_, "a", anew, 9, /*after=*/7), IsOk());
}

TEST_F(DirectoryTest, LaterIncarnationsReplaceEarlierOnes) {
  const SessionRef old = New("old");
  ASSERT_THAT(Accept(m_, "a", old, 1), IsOk());
  const SessionRef later = New("later");
  EXPECT_THAT(Accept(m_, "a", later, 2, 0, kNow + 1),
              StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(Ended(), ElementsAre("old: 'a' has connected anew"));
  m_.Leave({"a", kNow}, old);
  ASSERT_THAT(Accept(m_, "a", later, 2, 0, kNow + 1), IsOk());
  m_.Leave({"a", kNow + 1}, later);
  // An incarnation never returns, not even where there is no session.
  EXPECT_THAT(Accept(m_, "a", New("back"), 3),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("a later incarnation of 'a'")));
}

TEST_F(DirectoryTest, ReceptionistIsThatOfTheSession) {
  EXPECT_TRUE(m_.ReceptionistOf("a").IsNull());
  const SessionRef one = New("1");
  ASSERT_THAT(Accept(m_, "a", one, 1), IsOk());
  m_.SetReceptionist({"a", kNow}, one);
  EXPECT_EQ(m_.ReceptionistOf("a"), one);
  m_.SetReceptionist({"a", kNow + 1}, New("2"));
  EXPECT_EQ(m_.ReceptionistOf("a"), one);
  m_.Leave({"a", kNow}, one);
  EXPECT_TRUE(m_.ReceptionistOf("a").IsNull());
}

}  // namespace
}  // namespace troupe::internal
