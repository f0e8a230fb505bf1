#include "troupe/scheduler/event.h"

#include <thread>

#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace troupe {
namespace {

TEST(EventTest, IsNotSetAtFirst) {
  Event event;
  EXPECT_FALSE(event.IsSet());
  EXPECT_FALSE(event.WaitWithTimeout(absl::ZeroDuration()));
}

TEST(EventTest, StaysSet) {
  Event event;
  event.Set();
  event.Set();
  EXPECT_TRUE(event.IsSet());
  EXPECT_TRUE(event.WaitWithTimeout(absl::ZeroDuration()));
  EXPECT_TRUE(event.WaitWithTimeout(absl::InfiniteDuration()));
}

TEST(EventTest, WaiterSeesWhatHappenedBeforeTheSet) {
  Event event;
  int value = 0;
  std::thread setter([&] {
    value = 7;
    event.Set();
  });
  EXPECT_TRUE(event.WaitWithTimeout(absl::InfiniteDuration()));
  EXPECT_EQ(value, 7);
  setter.join();
}

}  // namespace
}  // namespace troupe
