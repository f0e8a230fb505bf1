// Uses actors with nothing but their own target and an own class whose name and
// header are like those of a package of Troupe.

#include <cstdio>
#include <memory>

#include "registry/registry.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"

struct Note {
  int years;
};
struct Finish {};

class Archivist : public troupe::Actor<Note, Finish> {
 public:
  explicit Archivist(int& latest_year) : latest_year_(latest_year) {}

  void Handle(Note m) { registry_.year += m.years; }
  void Handle(const Finish&) {
    latest_year_ = registry_.year;
    StopSelf();
  }

 private:
  Registry registry_;
  int& latest_year_;
};

int main() {
  auto system = troupe::ActorSystem::Create();
  if (!system.ok()) {
    std::puts(system.status().ToString().c_str());
    return 1;
  }

  int latest_year = 0;
  auto archivist = (*system)->Spawn<Archivist>(latest_year).value();
  archivist.Send<Note>(2);
  archivist.Send<Note>(3);
  archivist.Send<Finish>();
  const auto reason = archivist.Wait();

  const bool right = reason.ok() && latest_year == Registry().year + 5;
  std::printf("%d\n", latest_year);
  return right ? 0 : 1;
}
