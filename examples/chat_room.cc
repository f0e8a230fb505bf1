// A chat room: its guests are a group, and whoever speaks, speaks to all.
//
//   ./bazelw run //examples:chat_room
//
// prints
//
//   alice reached 3
//   alice reached 2
//   the host counted 3 in, 1 out
//   carol heard alice: hello
//   carol heard alice: is bob here?
#include <cstddef>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/registry/groups.h"

namespace {

struct Say {
  std::string from, text;
};
struct Speak {
  std::string text;
  using Reply = size_t;
};
struct Heard {
  using Reply = std::vector<std::string>;
};
struct ChatApi : troupe::Protocol<Say, Speak, Heard> {};

const troupe::Group<ChatApi>& Lobby() {
  static const auto& lobby = *new troupe::Group<ChatApi>("lobby");
  return lobby;
}

class Guest : public troupe::Actor<ChatApi> {
 public:
  Guest(std::string name, troupe::Groups& groups)
      : name_(std::move(name)), groups_(groups) {}

  absl::Status PreStart() { return groups_.Join(Lobby(), self()); }
  // To all guests, this one too. One message, however many they are.
  size_t Handle(const Speak& m) {
    return groups_.Send<Say>(Lobby(), name_, m.text);
  }
  void Handle(const Say& m) { heard_.push_back(m.from + ": " + m.text); }
  std::vector<std::string> Handle(Heard) { return heard_; }

 private:
  const std::string name_;
  troupe::Groups& groups_;
  std::vector<std::string> heard_;
};

struct Count {
  using Reply = std::pair<size_t, size_t>;
};

// Watches the door.
class Host : public troupe::Actor<troupe::GroupChanged, Count> {
 public:
  void Handle(const troupe::GroupChanged& change) {
    count_.first += change.joined.size();
    count_.second += change.left.size();
  }
  std::pair<size_t, size_t> Handle(Count) { return count_; }

 private:
  std::pair<size_t, size_t> count_;
};

}  // namespace

int main() {
  const auto system = troupe::ActorSystem::Create().value();
  troupe::Groups& groups = system->Get<troupe::Groups>();
  const auto host = system->Spawn<Host>().value();
  if (!groups.Monitor(Lobby(), host).ok()) return 1;

  const auto alice = system->Spawn<Guest>("alice", groups).value();
  const auto bob = system->Spawn<Guest>("bob", groups).value();
  const auto carol = system->Spawn<Guest>("carol", groups).value();
  const auto speak = [&](const char* text) {
    std::cout << "alice reached " << *alice.Call<Speak>(text).Wait() << "\n";
  };
  speak("hello");
  // An actor that ends leaves its groups, before anybody is told.
  if (!bob.StopAndWait().ok()) return 1;
  speak("is bob here?");

  const auto [in, out] = *host.Call<Count>().Wait();
  std::cout << "the host counted " << in << " in, " << out << " out\n";
  const std::vector<std::string> heard = carol.Call<Heard>().Wait().value();
  for (const std::string& line : heard) {
    std::cout << "carol heard " << line << "\n";
  }
}
