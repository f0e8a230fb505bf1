// One actor from its start to its end: what it is given, the ways to send to
// it, how it fails, and who is told.
//
//   ./bazelw run //examples:printer
//
// prints
//
//   FAILED_PRECONDITION
//   prints one
//   prints two
//   prints three
//   3 pages
//   prints a notice
//   failed: RESOURCE_EXHAUSTED: out of paper
//   kept: five
//   dead letters: 1
#include <cstdint>
#include <iostream>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/call.h"
#include "troupe/actor/events.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/actor/retry.h"
#include "troupe/actor/send_result.h"

namespace {

using troupe::ActorEnded;
using troupe::ActorSystem;
using troupe::DeadLetter;
using troupe::SendResult;

struct Page {
  std::string text;
};
struct CountPages {
  using Reply = int;
};

class Printer : public troupe::Actor<Page, CountPages> {
 public:
  explicit Printer(int paper) : paper_(paper) {}

  absl::Status PreStart() {
    return paper_ > 0 ? absl::OkStatus()
                      : absl::FailedPreconditionError("no paper");
  }
  absl::Status Handle(const Page& page) {
    if (paper_ == 0) return absl::ResourceExhaustedError("out of paper");
    std::cout << "prints " << page.text << std::endl;
    --paper_;
    ++pages_;
    return absl::OkStatus();
  }
  int Handle(CountPages) { return pages_; }

 private:
  int paper_;
  int pages_ = 0;
};

}  // namespace

int main() {
  const auto system =
      ActorSystem::Create({.workers = 1, .call_timeout = absl::Seconds(30)})
          .value();
  int dead_letters = 0;
  const troupe::Subscription subscription = system->Subscribe<DeadLetter>(
      [&dead_letters](const DeadLetter&) { ++dead_letters; });
  const troupe::Subscription endings = system->Subscribe<ActorEnded>(
      [](const ActorEnded& ended) { std::cout << ended.reason << std::endl; });

  std::cout << system->Spawn<Printer>(0).status().code() << std::endl;

  const Printer::Ref printer =
      system->Spawn<Printer>({.mailbox = {.messages = 2}}, 4).value();
  for (const char* text : {"one", "two", "three"}) {
    const absl::Status sent = printer.SendWhenReady<Page>(text).Wait();
    if (!sent.ok()) return 1;
  }
  // Pages that wait may leave no room for a question: ask again.
  std::cout
      << printer.Call<CountPages>().Retry({.attempts = 100}).Wait().value()
      << " pages" << std::endl;
  printer.SendUrgent<Page>("a notice");
  printer.SendUrgent<Page>("four");
  if (!printer.Wait().ok()) return 1;

  Page five{"five"};
  if (printer.TrySend(std::move(five)) == SendResult::kNoActor) {
    std::cout << "kept: " << five.text << std::endl;
  }
  printer.Send<Page>("six");
  std::cout << "dead letters: " << dead_letters << std::endl;
}
