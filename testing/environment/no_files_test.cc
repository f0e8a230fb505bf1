// Processes that get no file descriptors: the runtime needs none.
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <memory>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/run_blocking.h"
#include "troupe/actor/sleep.h"
#include "troupe/actor/task.h"
#include "troupe/supervision/application.h"
#include "troupe/supervision/supervisor.h"
#include "troupe/testing/environment/environment_testing.h"
#include "troupe/testing/environment/process_state.h"
#include "troupe/testing/status_matchers.h"
#include "troupe/troupe.h"

namespace troupe::testing {
namespace {

using ::testing::ExitedWithCode;
using ::testing::HasSubstr;

struct Everything {
  using Reply = absl::Status;
};

// What waits, blocks, spawns and publishes.
class Worker : public Actor<Everything> {
 public:
  Task<absl::Status> Handle(Everything) {
    co_await Sleep(absl::Microseconds(1));
    absl::Status blocking = co_await RunBlocking(&absl::OkStatus);
    if (!blocking.ok()) co_return blocking;
    const SpawnOptions pinned{.dedicated_thread = true};
    const auto child = co_await SpawnAsync<Adder>(pinned);
    if (!child.ok()) co_return child.status();
    child->Send<Add>(2);
    const absl::StatusOr<int64_t> total = co_await child->Call<Total>();
    if (total.ok() && *total != 2) co_return absl::InternalError("not 2");
    co_return total.status();
  }
};

void UseEverything() {
  const auto system = CreateSystem({.workers = 2}).value();
  const auto worker = system->Spawn<Worker>({.name = "worker"}).value();
  EXPECT_THAT(worker.Call<Everything>().Wait(), IsOk());
  Supervisor::Spec spec;
  const ChildRef<Everything> child = spec.Add<Worker>({.id = "supervised"});
  EXPECT_THAT(Supervisor::Start(*system, std::move(spec)), IsOk());
  EXPECT_THAT(worker.Call<Everything>().Wait(), IsOk());
  EXPECT_THAT(system->Shutdown(), IsOk());
}

class NoFilesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (kSanitized) GTEST_SKIP() << "sanitizers open files of their own";
  }
};

// From here on the process can open nothing.
void ForbidFiles() {
  const rlimit none{0, 0};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  ASSERT_EQ(open("/dev/null", O_RDONLY), -1);
}

TEST_F(NoFilesTest, SystemsNeedNone) {
  EXPECT_EXIT(RunAsChild([] {
                ForbidFiles();
                UseEverything();
                ExpectThatSystemsWork();
                // As many workers as there are processors, as far as can be
                // told.
                EXPECT_THAT(ActorSystem::Create(), IsOk());
              }),
              ExitedWithCode(0), "");
}

TEST_F(NoFilesTest, SystemsKeepNone) {
  const int before = ReadProcessState().open_files;
  UseEverything();
  EXPECT_EQ(ReadProcessState().open_files, before);
}

// It waits for signals by one.
TEST_F(NoFilesTest, ApplicationsSayWhatTheyLack) {
  EXPECT_EXIT(RunAsChild([] {
                ForbidFiles();
                std::exit(RunApplication(Supervisor::Spec{}));
              }),
              ExitedWithCode(1), "waiting for signals: Too many open files");
}

}  // namespace
}  // namespace troupe::testing
