// Messages that actors on several workers share and let go of at once.
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/synchronization/blocking_counter.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/internal/shared_message.h"
#include "troupe/actor/pinned_thread.h"
#include "troupe/actor/spawn_options.h"

namespace troupe {
namespace {

using ::troupe::internal::SendShared;
using ::troupe::internal::SharedMessage;
using ::troupe::internal::SharedSender;

constexpr int kReceivers = 16;
constexpr int kMessages = 2000;

// Of what its readers did and its destructor sees the sanitizer knows by the
// text, which is no atomic.
struct Page {
  Page(int its_number, std::atomic<int>& its_living)
      : number(its_number),
        text(std::to_string(its_number)),
        living(&its_living) {
    ++*living;
  }
  Page(const Page& other) : Page(other.number, *other.living) {}
  ~Page() {
    text.clear();
    --*living;
  }

  int number;
  std::string text;
  std::atomic<int>* living;
};

class Reader : public Actor<Page> {
 public:
  explicit Reader(absl::BlockingCounter& done) : done_(done) {}
  void Handle(const Page& m) { Check(m); }

 protected:
  void Check(const Page& m) {
    EXPECT_EQ(m.number, next_++);
    EXPECT_EQ(m.text, std::to_string(m.number));
    if (next_ == kMessages) done_.DecrementCount();
  }

 private:
  absl::BlockingCounter& done_;
  int next_ = 0;
};

class Taker : public Reader {
 public:
  using Reader::Reader;
  void Handle(Page m) {
    Check(m);
    m.text = "mine";
  }
};

// §17, §20.
TEST(SharedMessageStressTest, EveryReceiverReadsEachOnceInOrder) {
  std::atomic<int> living = 0;
  {
    absl::BlockingCounter done(kReceivers);
    const auto system = ActorSystem::Create({.workers = 2}).value();
    const PinnedThread thread = system->StartThread("aside").value();
    std::vector<ActorRef<Page>> receivers;
    for (int i = 0; i < kReceivers; ++i) {
      SpawnOptions options;
      if (i % 8 == 0) options.thread = thread;
      receivers.push_back(
          i % 4 == 1
              ? ActorRef<Page>(system->Spawn<Taker>(options, done).value())
              : ActorRef<Page>(system->Spawn<Reader>(options, done).value()));
    }
    for (int number = 0; number < kMessages; ++number) {
      const auto page = SharedMessage<Page>::Make(number, living);
      if (number % 2 == 0) {
        SharedSender<Page> sender(page, kReceivers);
        for (const auto& receiver : receivers) sender.Send(receiver);
      } else {
        for (const auto& receiver : receivers) SendShared(receiver, page);
      }
    }
    done.Wait();
  }
  EXPECT_EQ(living, 0);
}

// §18: ends and sends meet; nothing is lost of or left.
TEST(SharedMessageStressTest, EndedReceiversLeaveNothingBehind) {
  std::atomic<int> living = 0;
  {
    const auto system = ActorSystem::Create({.workers = 2}).value();
    for (int round = 0; round < 200; ++round) {
      absl::BlockingCounter unused(1);
      unused.DecrementCount();
      std::vector<Reader::Ref> receivers;
      for (int i = 0; i < 8; ++i) {
        receivers.push_back(system->Spawn<Reader>(unused).value());
      }
      for (int number = 0; number < 20; ++number) {
        const auto page = SharedMessage<Page>::Make(number, living);
        for (const Reader::Ref& receiver : receivers) {
          SendShared<Page>(receiver, page);
        }
        if (number < 8) receivers[static_cast<size_t>(number)].Kill();
      }
      for (const Reader::Ref& receiver : receivers) {
        EXPECT_TRUE(receiver.Wait().ok());
      }
    }
  }
  EXPECT_EQ(living, 0);
}

}  // namespace
}  // namespace troupe
