// A desk passes questions to an expert, and has the answers sent to the one who
// asked. It waits for none of them, and so takes any number at once.
//
//   ./bazelw run //examples:forward
//
// prints
//
//   six times seven: 42
#include <functional>
#include <iostream>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"

namespace {

struct Question {
  std::string text;
  using Reply = int;
};
struct Answered {
  std::string text;
  absl::StatusOr<int> answer;
};
struct Visit {
  std::string text;
  troupe::ActorRef<Answered> visitor;
};

class Expert : public troupe::Actor<Question> {
 public:
  int Handle(const Question&) { return 42; }
};

class Desk : public troupe::Actor<Visit> {
 public:
  explicit Desk(troupe::ActorRef<Question> expert) : expert_(expert) {}

  void Handle(Visit m) {
    expert_.Call<Question>(m.text)
        .Within(absl::Seconds(1))
        .Forward(m.visitor, [text = m.text](absl::StatusOr<int> answer) {
          return Answered{text, answer};
        });
  }

 private:
  const troupe::ActorRef<Question> expert_;
};

class Visitor : public troupe::Actor<Answered> {
 public:
  explicit Visitor(absl::Notification& left) : left_(left) {}

  void Handle(const Answered& m) {
    std::cout << m.text << ": " << m.answer.value() << "\n";
    left_.Notify();
  }

 private:
  absl::Notification& left_;
};

}  // namespace

int main() {
  absl::Notification left;
  const auto system = troupe::ActorSystem::Create().value();
  const auto expert = system->Spawn<Expert>().value();
  const auto desk = system->Spawn<Desk>(expert).value();
  const auto visitor = system->Spawn<Visitor>(std::ref(left)).value();
  desk.Send<Visit>("six times seven", visitor);
  left.WaitForNotification();
}
