// That the parts work together with nothing but the one header.
#include "troupe/troupe.h"

#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using ::troupe::testing::IsOk;
using ::troupe::testing::IsOkAndHolds;
using ::troupe::testing::StatusIs;

struct Number {
  using Reply = int;
};

class Seven : public Actor<Number> {
 public:
  int Handle(Number) { return 7; }
};

TEST(TroupeTest, SupervisedActorsHaveNames) {
  const absl::StatusOr<std::unique_ptr<ActorSystem>> system = CreateSystem();
  ASSERT_THAT(system, IsOk());
  Supervisor::Spec spec{.name = "all"};
  spec.Add({.id = "seven"}, [](StartContext& start) {
    return start.Spawn<Seven>({.name = "seven"});
  });
  ASSERT_THAT(Supervisor::Start(**system, std::move(spec)), IsOk());
  const auto seven = (*system)->Get<Names>().Find<Number>("seven");
  ASSERT_THAT(seven, IsOk());
  EXPECT_THAT(seven->Call<Number>().Wait(), IsOkAndHolds(7));
}

// Is a member of a group, and subscribed to a port, from its start.
struct Beat {
  int number;
};
struct Beats {
  using Reply = std::vector<int>;
};
class Listener : public Actor<Beat, Beats> {
 public:
  explicit Listener(const PortRef<Beat>& beats) : port_(beats) {}
  absl::Status PreStart() {
    subscription_ = port_.Subscribe(self());
    return system().Get<Groups>().Join(Group<Beat>("listeners"), self());
  }
  void Handle(Beat m) { beats_.push_back(m.number); }
  std::vector<int> Handle(Beats) { return beats_; }

 private:
  const PortRef<Beat> port_;
  PortSubscription subscription_;
  std::vector<int> beats_;
};

TEST(TroupeTest, ActorsHaveGroupsAndPorts) {
  const std::unique_ptr<ActorSystem> system = CreateSystem().value();
  OutputPort<Beat> beats;
  const auto listener = system->Spawn<Listener>(beats.ref()).value();
  beats.Publish(1);
  EXPECT_EQ(system->Get<Groups>().Send<Beat>(Group<Beat>("listeners"), 2), 1);
  EXPECT_THAT(listener.Call<Beats>().Wait(),
              IsOkAndHolds(::testing::ElementsAre(1, 2)));
}

TEST(TroupeTest, OptionsGoToTheSystem) {
  EXPECT_THAT(CreateSystem({.blocking_threads = 0}),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace troupe
