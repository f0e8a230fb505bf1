// What a session is told of its connection, and what is not worth a turn.
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/cluster/internal/arrival_credit.h"
#include "troupe/cluster/internal/session.h"
#include "troupe/cluster/transport.h"
#include "troupe/testing/status_matchers.h"

namespace troupe::internal {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::IsOkAndHolds;

// All that the session was told to be sent, in bytes.
struct TakeTold {
  using Reply = std::vector<size_t>;
};
// How many frames have come, and what must not have.
struct TakeCame {
  using Reply = std::pair<int, int>;
};
class Ears : public Actor<FrameCame, FramesSent, ConnectionClosed,
                          CreditOverrun, TakeTold, TakeCame> {
 public:
  void Handle(const FrameCame&) { ++came_.first; }
  void Handle(FramesSent m) { told_.push_back(m.bytes); }
  void Handle(const ConnectionClosed&) {}
  void Handle(CreditOverrun) { ++came_.second; }
  std::vector<size_t> Handle(TakeTold) { return std::exchange(told_, {}); }
  std::pair<int, int> Handle(TakeCame) { return came_; }

 private:
  std::vector<size_t> told_;
  std::pair<int, int> came_;
};

class SessionPortTest : public ::testing::Test {
 protected:
  const std::unique_ptr<ActorSystem> system_ =
      ActorSystem::Create({.workers = 1}).value();
  const Ears::Ref ears_ = system_->Spawn<Ears>().value();
  SessionPort port_{SessionPort::Ref(ears_),
                    std::make_shared<ArrivalCredit>(0, 0, 0)};
};

TEST_F(SessionPortTest, SmallFramesSentAreToldTogether) {
  constexpr size_t kBytes = size_t{16} << 10;
  for (int i = 0; i < 3; ++i) port_.OnSent(TransportLane::kData, kBytes);
  EXPECT_THAT(ears_.Call<TakeTold>().Wait(), IsOkAndHolds(IsEmpty()));
  port_.OnSent(TransportLane::kData, kBytes);
  EXPECT_THAT(ears_.Call<TakeTold>().Wait(),
              IsOkAndHolds(ElementsAre(4 * kBytes)));
}

TEST_F(SessionPortTest, LanesAreCountedByThemselves) {
  constexpr size_t kBytes = size_t{40} << 10;
  port_.OnSent(TransportLane::kData, kBytes);
  port_.OnSent(TransportLane::kBulk, kBytes);
  EXPECT_THAT(ears_.Call<TakeTold>().Wait(), IsOkAndHolds(IsEmpty()));
  port_.OnSent(TransportLane::kBulk, kBytes);
  EXPECT_THAT(ears_.Call<TakeTold>().Wait(),
              IsOkAndHolds(ElementsAre(2 * kBytes)));
}

TEST_F(SessionPortTest, OfControlNothingSentIsTold) {
  port_.OnSent(TransportLane::kControl, size_t{1} << 20);
  EXPECT_THAT(ears_.Call<TakeTold>().Wait(), IsOkAndHolds(IsEmpty()));
}

// They would need no credit, and there could be any number of them.
TEST_F(SessionPortTest, EmptyFramesDoNotWaitForTheSession) {
  for (const TransportLane lane :
       {TransportLane::kControl, TransportLane::kData, TransportLane::kBulk}) {
    const Ears::Ref ears = system_->Spawn<Ears>().value();
    SessionPort port{SessionPort::Ref(ears),
                     std::make_shared<ArrivalCredit>(100, 100, 100)};
    port.OnFrame(lane, "x");
    for (int i = 0; i < 3; ++i) port.OnFrame(lane, "");
    port.OnFrame(lane, "x");
    EXPECT_THAT(ears.Call<TakeCame>().Wait(), IsOkAndHolds(std::pair(1, 1)));
  }
}

}  // namespace
}  // namespace troupe::internal
