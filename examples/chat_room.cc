// A chat room: its guests are a group, and whoever speaks, speaks to all, or to
// the one who has a name.
//
//   ./bazelw run //examples:chat_room
//
// prints
//
//   alice reached 3
//   alice reached 2
//   bob? 0, carol? 1
//   the host counted 3 in, 1 out
//   carol heard: hello; is bob here?; psst;
#include <cstddef>
#include <iostream>
#include <string>
#include <utility>

#include "troupe/troupe.h"

struct Say {
  std::string text;
};
struct Speak {
  std::string text, to = "";  // Empty: all.
  using Reply = size_t;       // How many it reached.
};
struct Heard {
  using Reply = std::string;
};
struct ChatApi : troupe::Protocol<Say, Speak, Heard> {};

troupe::Group<ChatApi> Lobby() { return troupe::Group<ChatApi>("lobby"); }

class Guest : public troupe::Actor<ChatApi> {
 public:
  absl::Status PreStart() { return groups().Join(Lobby(), self()); }

  size_t Handle(const Speak& m) {
    // To all guests, this one too. One message, however many they are.
    if (m.to.empty()) return groups().Send<Say>(Lobby(), m.text);
    const auto guest = system().Get<troupe::Names>().Find<Say>(m.to);
    if (guest.ok()) guest->Send<Say>(m.text);
    return guest.ok();
  }
  void Handle(const Say& m) { heard_ += " " + m.text + ";"; }
  std::string Handle(Heard) { return heard_; }

 private:
  troupe::Groups& groups() { return system().Get<troupe::Groups>(); }

  std::string heard_;
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

int main() {
  const auto system = troupe::CreateSystem().value();
  const auto host = system->Spawn<Host>().value();
  if (!system->Get<troupe::Groups>().Monitor(Lobby(), host).ok()) return 1;
  const auto alice = system->Spawn<Guest>({.name = "alice"}).value();
  const auto bob = system->Spawn<Guest>({.name = "bob"}).value();
  const auto carol = system->Spawn<Guest>({.name = "carol"}).value();

  const auto speak = [&](const char* text, const char* to = "") {
    return alice.Call<Speak>(text, to).Wait().value();
  };
  std::cout << "alice reached " << speak("hello") << "\n";
  // An actor that ends leaves its name and its groups before anybody is told.
  if (!bob.StopAndWait().ok()) return 1;
  std::cout << "alice reached " << speak("is bob here?") << "\n";
  std::cout << "bob? " << speak("psst", "bob");
  std::cout << ", carol? " << speak("psst", "carol") << "\n";

  const auto [in, out] = host.Call<Count>().Wait().value();
  std::cout << "the host counted " << in << " in, " << out << " out\n";
  std::cout << "carol heard:" << carol.Call<Heard>().Wait().value() << "\n";
}
