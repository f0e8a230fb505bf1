// What the packages tell of a system comes by ports: failures and restarts, and
// changes of names and groups. Clauses 29, 31, 32 and 37 of docs/semantics.md.
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/events.h"
#include "troupe/actor/internal/call_testing.h"
#include "troupe/registry/group.h"
#include "troupe/registry/group_changed.h"
#include "troupe/registry/groups.h"
#include "troupe/registry/name_event.h"
#include "troupe/registry/names.h"
#include "troupe/stream/event_port.h"
#include "troupe/supervision/child_options.h"
#include "troupe/supervision/child_ref.h"
#include "troupe/supervision/supervision_report.h"
#include "troupe/supervision/supervisor.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;

struct Crash {};

class Mortal : public Actor<Crash> {
 public:
  absl::Status Handle(Crash) { return absl::DataLossError("no disk"); }
};

// What came by ports, for each type.
struct Log {
  std::vector<std::string> ends;
  std::vector<std::string> reports;
  std::vector<std::string> names;
  std::vector<std::string> groups;
};

class Monitor
    : public Actor<EndedActor, SupervisionReport, NameEvent, GroupChanged> {
 public:
  explicit Monitor(Log& log) : log_(log) {}
  void Handle(const EndedActor& m) { log_.ends.push_back(m.reason.ToString()); }
  void Handle(const SupervisionReport& m) {
    log_.reports.push_back(absl::StrCat(m.child, ": ", ToString(m.decision)));
  }
  void Handle(const NameEvent& m) {
    log_.names.push_back(absl::StrCat(
        m.kind == NameEvent::Kind::kGone ? "gone " : "here ", m.name));
  }
  void Handle(const GroupChanged& m) {
    log_.groups.push_back(absl::StrCat(m.group.ToString(), " +",
                                       m.joined.size(), " -", m.left.size()));
  }

 private:
  Log& log_;
};

class SystemEventsTest : public internal::CallsTest {
 protected:
  ~SystemEventsTest() override { EXPECT_TRUE(system_->Shutdown().ok()); }

  void Play() { executor_->RunUntilIdle(); }

  Log log_;
};

INSTANTIATE_TEST_SUITE_P(Seeds, SystemEventsTest, internal::SomeSeeds());

TEST_P(SystemEventsTest, FailuresAndRestartsComeByPorts) {
  const auto monitor = system_->Spawn<Monitor>(log_).value();
  Supervisor::Spec spec{.name = "all"};
  const ChildRef<Crash> mortal =
      spec.Add<Mortal>({.id = "mortal", .restart = kPermanent});
  ASSERT_TRUE(Supervisor::Start(*system_, std::move(spec)).ok());
  const PortSubscription ends = SubscribeEvents<ActorEnded>(*system_, monitor);
  const PortSubscription reports =
      SubscribeEvents<SupervisionReport>(*system_, monitor);
  mortal.Send<Crash>();
  Play();
  EXPECT_THAT(log_.ends, ElementsAre(::testing::HasSubstr("no disk")));
  EXPECT_THAT(log_.reports, ElementsAre("mortal: restart"));
}

TEST_P(SystemEventsTest, NamesAndGroupsComeByPorts) {
  system_->Get<Names>();
  Groups& groups = system_->Get<Groups>();
  const auto monitor = system_->Spawn<Monitor>(log_).value();
  const PortSubscription of_names =
      SubscribeEvents<NameEvent>(*system_, monitor);
  const PortSubscription of_groups =
      SubscribeEvents<GroupChanged>(*system_, monitor);
  const auto mortal = system_->Spawn<Mortal>({.name = "mortal"}).value();
  ASSERT_TRUE(groups.Join(Group<Crash>("mortals"), mortal).ok());
  mortal.Kill();
  Play();
  EXPECT_THAT(log_.names, ElementsAre("here mortal", "gone mortal"));
  EXPECT_THAT(log_.groups, ElementsAre("mortals +1 -0", "mortals +0 -1"));
}

}  // namespace
}  // namespace troupe
