// Actors for tests that stress stashes: senders that number what they send, and
// doors that are open at times only.
#ifndef TROUPE_ACTOR_INTERNAL_STASH_WORLD_H_
#define TROUPE_ACTOR_INTERNAL_STASH_WORLD_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/reply_to.h"
#include "troupe/actor/spawn_options.h"
#include "troupe/actor/stash.h"
#include "troupe/actor/task.h"
#include "troupe/base/clock.h"
#include "troupe/base/random.h"
#include "troupe/scheduler/event.h"
#include "troupe/scheduler/worker.h"

namespace troupe::internal {

struct StashCounts {
  int64_t handled = 0;
  int64_t set_aside = 0;
};

// Two messages of one sender, which keep their order among each other.
struct Numbered {
  int sender;
  int64_t number;
};
struct NumberedRequest {
  int sender;
  int64_t number;
  using Reply = int64_t;
};
struct Swing {};  // Opens what is closed, and closes what is open.
struct OpenForGood {};

class SwingDoor : public Actor<Numbered, NumberedRequest, Swing, OpenForGood> {
 public:
  SwingDoor(uint64_t seed, bool blocks, StashCounts& counts)
      : random_(seed), blocks_(blocks), counts_(counts) {}

  void Handle(Numbered m) {
    if (!IsOpen()) {
      const absl::Status kept = stash_.Put(std::move(m));
      EXPECT_TRUE(kept.ok()) << kept;
      ++counts_.set_aside;
      return;
    }
    Note(m.sender, m.number);
  }
  void Handle(NumberedRequest m, ReplyTo<int64_t> reply) {
    if (!IsOpen()) {
      const absl::Status kept = stash_.Put(std::move(m), std::move(reply));
      EXPECT_TRUE(kept.ok()) << kept;
      ++counts_.set_aside;
      return;
    }
    Note(m.sender, m.number);
    reply.Send(m.number);
  }
  void Handle(Swing) {
    if (blocks_ && random_.Uniform(256) == 0) BlockUntilTakenOver();
    open_ = !open_;
    if (open_) stash_.Unstash();
  }
  void Handle(OpenForGood) {
    open_for_good_ = true;
    stash_.Unstash();
  }

 private:
  // It may close by itself.
  bool IsOpen() {
    if (open_ && random_.Uniform(16) == 0) open_ = false;
    return open_ || open_for_good_;
  }
  // Then this thread has no seat, and another runs the worker.
  static void BlockUntilTakenOver() {
    while (this_thread.seat.tag() != OwnerTag::kNoSeat) {
    }
  }
  void Note(int sender, int64_t number) {
    EXPECT_EQ(number, ++last_[sender]) << "of sender " << sender;
    ++counts_.handled;
  }

  Random random_;
  const bool blocks_;
  StashCounts& counts_;
  std::map<int, int64_t> last_;
  bool open_ = true;
  bool open_for_good_ = false;
  Stash<Numbered, NumberedRequest> stash_{this, size_t{1} << 20};
};

struct SendRound {};

// In each round it sends each door some messages, calls for one of them
// without waiting, and swings a door.
class DoorUser : public Actor<SendRound> {
 public:
  using Doors = std::vector<SwingDoor::Ref>;
  using Interleaved = SendRound;

  // Sets `asked_all` when only answers are to come.
  DoorUser(int number, int rounds, uint64_t seed, const Doors& doors,
           Event& asked_all)
      : number_(number),
        rounds_(rounds),
        random_(seed),
        doors_(doors),
        last_(doors.size()),
        asked_all_(asked_all) {}

  Task<void> Handle(SendRound) {
    const size_t called = random_.Uniform(doors_.size());
    for (size_t i = 0; i < doors_.size(); ++i) {
      for (uint64_t n = random_.Uniform(4); n > 0; --n) {
        doors_[i].Send<Numbered>(number_, ++last_[i]);
      }
    }
    doors_[random_.Uniform(doors_.size())].Send<Swing>();
    ++waiting_;
    if (--rounds_ > 0) {
      self().Send<SendRound>();
    } else {
      asked_all_.Set();
    }
    const int64_t number = ++last_[called];
    const absl::StatusOr<int64_t> answer =
        co_await doors_[called]
            .Call<NumberedRequest>(number_, number)
            .Within(absl::Hours(1));
    EXPECT_TRUE(answer.ok() && *answer == number) << answer.status();
    if (--waiting_ == 0 && rounds_ == 0) StopSelf();
  }

 private:
  const int number_;
  int rounds_;
  Random random_;
  const Doors doors_;
  std::vector<int64_t> last_;  // For each door.
  int waiting_ = 0;
  Event& asked_all_;
};

// Two doors, one of them with a bounded mailbox, and four users.
class StashWorld {
 public:
  // `blocks`: doors do so at times, until their worker is lent to another
  // thread.
  StashWorld(ActorSystem& system, uint64_t seed, bool blocks)
      : system_(system), random_(seed) {
    for (size_t i = 0; i < kDoors; ++i) {
      SpawnOptions options;
      if (i == 0) options.mailbox.messages = 1 << 20;
      doors_.push_back(system
                           .Spawn<SwingDoor>(options, random_.NextUint64(),
                                             blocks, counts_[i])
                           .value());
    }
  }

  void Begin(int rounds) {
    for (int i = 0; i < kUsers; ++i) {
      users_.push_back(system_
                           .Spawn<DoorUser>(i, rounds, random_.NextUint64(),
                                            doors_, asked_all_[i])
                           .value());
      users_.back().Send<SendRound>();
    }
  }
  // When all users have asked, opens all doors for good, and waits for their
  // answers.
  // REQUIRES: not in a handler.
  StashCounts End() {
    for (Event& asked_all : asked_all_) {
      EXPECT_TRUE(system_.executor().WaitFor(asked_all,
                                             MonotonicTime::InfiniteFuture()));
    }
    for (const SwingDoor::Ref& door : doors_) door.Send<OpenForGood>();
    for (const DoorUser::Ref& user : users_) EXPECT_TRUE(user.Wait().ok());
    StashCounts all;
    for (size_t i = 0; i < kDoors; ++i) {
      EXPECT_TRUE(doors_[i].DrainAndWait().ok());
      all.handled += counts_[i].handled;
      all.set_aside += counts_[i].set_aside;
    }
    EXPECT_TRUE(system_.Shutdown().ok());
    EXPECT_EQ(system_.dead_letters(), 0u);
    return all;
  }

 private:
  static constexpr size_t kDoors = 2;
  static constexpr int kUsers = 4;

  ActorSystem& system_;
  Random random_;
  StashCounts counts_[kDoors];  // The door's, until it has ended.
  DoorUser::Doors doors_;
  Event asked_all_[kUsers];
  std::vector<DoorUser::Ref> users_;
};

}  // namespace troupe::internal

#endif  // TROUPE_ACTOR_INTERNAL_STASH_WORLD_H_
