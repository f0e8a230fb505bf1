// That the parts work together with nothing but the one header.
#include "troupe/troupe.h"

#include <memory>
#include <utility>

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

TEST(TroupeTest, OptionsGoToTheSystem) {
  EXPECT_THAT(CreateSystem({.blocking_threads = 0}),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace troupe
