// Groups on threads (§32): joining, leaving, monitoring and sending against
// each other and against ends.
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_id.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/events.h"
#include "troupe/base/clock.h"
#include "troupe/base/random.h"
#include "troupe/registry/group.h"
#include "troupe/registry/group_changed.h"
#include "troupe/registry/group_name.h"
#include "troupe/registry/group_range.h"
#include "troupe/registry/groups.h"
#include "troupe/registry/internal/group_testing.h"
#include "troupe/testing/seeds.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using ::testing::IsEmpty;
using ::troupe::internal::ChatApi;
using ::troupe::internal::Guest;
using ::troupe::internal::Host;
using ::troupe::internal::SeenBy;
using ::troupe::testing::IsOk;

// Ends `actor` in one way or another.
void End(const AnyActorRef& actor, uint64_t way) {
  if (way % 3 == 0) actor.Stop();
  if (way % 3 == 1) actor.Kill();
  if (way % 3 == 2) actor.Drain();
}

// Who was accepted is a member until the end, and nowhere once that is told;
// who was refused never was one.
TEST(GroupsStressTest, JoiningAgainstExitLeavesNothingBehind) {
  constexpr int kActors = 32;
  for (const uint64_t seed : testing::TestSeeds(2)) {
    SCOPED_TRACE(testing::SeedTrace(seed));
    Random random(seed);
    const std::unique_ptr<ActorSystem> system =
        ActorSystem::Create({.workers = 2}).value();
    Groups& groups = system->Get<Groups>();
    const Group<ChatApi> lobby("lobby");
    const Group<ChatApi> kitchen("kitchen");
    int accepted = 0;
    int refused = 0;
    // The system's clock is real: the deadline only ends what would hang.
    const MonotonicTime deadline =
        system->executor().clock().Now() + absl::Minutes(3);
    for (int round = 0; round < 100 || accepted < 20 || refused < 20; ++round) {
      ASSERT_LT(system->executor().clock().Now(), deadline);
      std::vector<Guest::Ref> guests;
      for (int i = 0; i < kActors; ++i) {
        guests.push_back(system->Spawn<Guest>().value());
      }
      std::vector<absl::Status> joined(kActors);
      std::vector<absl::Status> joined_too(kActors);
      absl::BlockingCounter begun(2);
      const auto join_all = [&](const Group<ChatApi>& group,
                                std::vector<absl::Status>& results) {
        begun.DecrementCount();
        for (int i = 0; i < kActors; ++i) {
          results[i] = groups.Join(group, guests[i]);
        }
      };
      std::thread one([&] { join_all(lobby, joined); });
      std::thread two([&] { join_all(kitchen, joined_too); });
      begun.Wait();
      for (const Guest::Ref& guest : guests) End(guest, random.NextUint64());
      for (const Guest::Ref& guest : guests) EXPECT_THAT(guest.Wait(), IsOk());
      one.join();
      two.join();
      EXPECT_THAT(groups.ListGroups(), IsEmpty());
      for (int i = 0; i < kActors; ++i) {
        EXPECT_EQ(groups.LeaveAll(guests[i]), 0u);
        ++(joined[i].ok() ? accepted : refused);
        if (!joined[i].ok()) {
          EXPECT_EQ(joined[i].code(), absl::StatusCode::kNotFound);
        }
      }
    }
  }
}

// An actor is seen in all of its groups, or in none.
TEST(GroupsStressTest, EndLeavesAllGroupsInOneStep) {
  constexpr int kGroups = 8;
  constexpr int kRounds = 500;
  const std::unique_ptr<ActorSystem> system =
      ActorSystem::Create({.workers = 2}).value();
  Groups& groups = system->Get<Groups>();
  std::vector<Group<ChatApi>> all;
  for (int g = 0; g < kGroups; ++g) {
    all.emplace_back(absl::StrCat("group ", g));
  }
  absl::Mutex joining;  // Several calls, and so no one step.
  std::atomic<bool> done{false};
  std::thread reader([&] {
    // Relaxed: only ends the loop.
    while (!done.load(std::memory_order_relaxed)) {
      absl::MutexLock lock(&joining);
      const size_t listed = groups.ListGroups().size();
      EXPECT_TRUE(listed == 0 || listed == kGroups) << listed;
    }
  });
  for (int round = 0; round < kRounds; ++round) {
    const auto guest = system->Spawn<Guest>().value();
    {
      absl::MutexLock lock(&joining);
      for (const auto& group : all) {
        EXPECT_THAT(groups.Join(group, guest), IsOk());
      }
    }
    End(guest, round);
    EXPECT_THAT(guest.Wait(), IsOk());
  }
  done.store(true, std::memory_order_relaxed);
  reader.join();
}

// What a reader of changes knows.
class Tally {
 public:
  void Add(const GroupChanged& change) {
    EXPECT_GT(change.version, version_[change.group]);
    version_[change.group] = change.version;
    std::map<ActorId, int>& members = members_[change.group];
    for (const AnyActorRef& ref : change.joined) ++members[ref.id()];
    for (const AnyActorRef& ref : change.left) {
      EXPECT_GT(members[ref.id()], 0);
      if (--members[ref.id()] == 0) members.erase(ref.id());
    }
    if (members.empty()) members_.erase(change.group);
  }
  const std::map<GroupName, std::map<ActorId, int>>& members() const {
    return members_;
  }

 private:
  std::map<GroupName, std::map<ActorId, int>> members_;
  std::map<GroupName, uint64_t> version_;
};

// no gap, no duplicate, and in order, whenever a monitor
// begins, whoever makes the changes, and while others end.
TEST(GroupsStressTest, MonitorsKnowWhatTheTableKnows) {
  constexpr int kChangers = 3;
  constexpr int kSteps = 1500;
  for (const uint64_t seed : testing::TestSeeds(2)) {
    SCOPED_TRACE(testing::SeedTrace(seed));
    const std::unique_ptr<ActorSystem> system =
        ActorSystem::Create({.workers = 2}).value();
    Groups& groups = system->Get<Groups>();
    const Group<ChatApi> rooms[] = {
        Group<ChatApi>("lobby"), Group<ChatApi>("kitchen"),
        Group<ChatApi>({.scope = "sales", .name = "lobby"})};
    absl::Mutex mu;
    Tally published;  // Under mu.
    Subscription subscription =
        system->Subscribe<GroupChanged>([&](const GroupChanged& change) {
          absl::MutexLock lock(&mu);
          published.Add(change);
        });
    const auto change_groups = [&](uint64_t changer) {
      Random random(seed + changer);
      std::vector<Guest::Ref> guests;
      for (int step = 0; step < kSteps; ++step) {
        if (guests.empty() || random.Uniform(8) == 0) {
          guests.push_back(system->Spawn<Guest>().value());
        }
        const Guest::Ref guest = guests[random.Uniform(guests.size())];
        const Group<ChatApi>& room = rooms[random.Uniform(3)];
        switch (random.Uniform(8)) {
          case 0:
            End(guest, random.NextUint64());
            std::erase(guests, guest);
            break;
          case 1:
            groups.LeaveAll(guest);
            break;
          case 2:
          case 3:
            groups.Leave(room, guest);
            break;
          default:
            EXPECT_THAT(groups.Join(room, guest), IsOk());
        }
      }
    };
    std::vector<std::thread> threads;
    for (uint64_t changer = 1; changer <= kChangers; ++changer) {
      threads.emplace_back(change_groups, changer);
    }
    // Monitors begin, some end again, and some die, meanwhile.
    const GroupRange ranges[] = {rooms[0], GroupRange::Scope("sales"),
                                 GroupRange::All()};
    Random random(seed);
    std::vector<Host::Ref> hosts;
    for (int i = 0; i < 30; ++i) {
      const auto host = system->Spawn<Host>().value();
      for (const GroupRange& range : ranges) {
        EXPECT_THAT(groups.Monitor(range, host), IsOk());
        if (random.Uniform(4) == 0) {
          EXPECT_TRUE(groups.Demonitor(range, host));
        }
        std::this_thread::yield();
      }
      if (random.Uniform(3) == 0) {
        End(host, random.NextUint64());
        continue;
      }
      for (const GroupRange& range : ranges) groups.Demonitor(range, host);
      const auto lasting = system->Spawn<Host>().value();
      EXPECT_THAT(groups.Monitor(GroupRange::All(), lasting), IsOk());
      hosts.push_back(lasting);
    }
    for (std::thread& thread : threads) thread.join();
    // Those that were asked to end do so before their groups are looked at.
    std::vector<AnyActorRef> members;
    for (const auto& room : rooms) {
      const auto in_room = groups.Members(room).value();
      members.insert(members.end(), in_room.begin(), in_room.end());
    }
    for (const AnyActorRef& member : members) {
      EXPECT_THAT(member.StopAndWait(), IsOk());
    }
    EXPECT_THAT(groups.ListScopes(), IsEmpty());
    const auto last = system->Spawn<Guest>().value();
    EXPECT_THAT(groups.Join(rooms[2], {last, last}), IsOk());
    const std::map<GroupName, std::map<ActorId, int>> expected = {
        {rooms[2].name(), {{last.id(), 2}}}};
    // Another thread may be telling, and has then been left the last changes.
    const auto last_is_published = [&] {
      const auto room = published.members().find(rooms[2].name());
      return room != published.members().end() &&
             room->second.contains(last.id());
    };
    {
      absl::MutexLock lock(&mu);
      ASSERT_TRUE(mu.AwaitWithTimeout(absl::Condition(&last_is_published),
                                      absl::Minutes(1)));
      EXPECT_EQ(published.members(), expected);
    }
    subscription.Drop();
    for (const Host::Ref& host : hosts) {
      Tally tally;
      for (const GroupChanged& change : SeenBy(host)) tally.Add(change);
      EXPECT_EQ(tally.members(), expected);
    }
  }
}

// -- sending

struct Line {
  Line(int in_speaker, int in_number)
      : speaker(in_speaker), number(in_number), text(100, 'x') {}
  int speaker;
  int number;
  std::string text;
};
struct Heard {
  using Reply = int;
};

// Hears what each speaker says in order, and nothing twice.
class Listener : public Actor<Line, Heard> {
 public:
  void Handle(const Line& m) {
    EXPECT_GT(m.number, last_[m.speaker]);
    last_[m.speaker] = m.number;
    ++heard_;
  }
  int Handle(Heard) { return heard_; }

 private:
  std::map<int, int> last_;
  int heard_ = 0;
};

struct Speak {
  int next;
};
class Speaker : public Actor<Speak> {
 public:
  Speaker(Groups& groups, int speaker, int lines)
      : groups_(groups), speaker_(speaker), lines_(lines) {}
  void Handle(Speak m) {
    groups_.Send<Line>(Group<Line>("listeners"), speaker_, m.next);
    if (m.next == lines_) return StopSelf();
    self().Send<Speak>(m.next + 1);
  }

 private:
  Groups& groups_;
  const int speaker_;
  const int lines_;
};

TEST(GroupsStressTest, SendingAgainstJoinsLeavesAndExits) {
  constexpr int kLines = 2000;
  for (const uint64_t seed : testing::TestSeeds(2)) {
    SCOPED_TRACE(testing::SeedTrace(seed));
    Random random(seed);
    const std::unique_ptr<ActorSystem> system =
        ActorSystem::Create({.workers = 2}).value();
    Groups& groups = system->Get<Groups>();
    const Group<Line> key("listeners");
    std::vector<Listener::Ref> stay;
    for (int i = 0; i < 4; ++i) {
      stay.push_back(system->Spawn<Listener>().value());
      EXPECT_THAT(groups.Join(key, stay.back()), IsOk());
    }
    std::vector<AnyActorRef> speakers;
    for (int speaker = 1; speaker <= 2; ++speaker) {
      const auto one = system->Spawn<Speaker>(groups, speaker, kLines).value();
      one.Send<Speak>(1);
      speakers.push_back(one);
    }
    std::thread outside([&] {
      for (int line = 1; line <= kLines; ++line) {
        EXPECT_GE(groups.Send<Line>(key, 3, line), 4u);
      }
    });
    for (int i = 0; i < 300; ++i) {
      const auto guest = system->Spawn<Listener>().value();
      EXPECT_THAT(groups.Join(key, guest), IsOk());
      std::this_thread::yield();
      if (random.Uniform(2) == 0) {
        EXPECT_EQ(groups.Leave(key, guest), 1u);
      }
      End(guest, random.NextUint64());
    }
    outside.join();
    for (const AnyActorRef& speaker : speakers) {
      EXPECT_THAT(speaker.Wait(), IsOk());
    }
    for (const Listener::Ref& listener : stay) {
      EXPECT_EQ(listener.Call<Heard>().Wait().value(), 3 * kLines);
    }
  }
}

}  // namespace
}  // namespace troupe
