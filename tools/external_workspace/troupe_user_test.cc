// Uses the umbrella: actors with names, found by what they take.

#include <cstdio>

#include "registry/registry.h"
#include "troupe/troupe.h"

struct Year {
  using Reply = int;
};

class Archivist : public troupe::Actor<Year> {
 public:
  int Handle(Year) { return registry_.year; }

 private:
  Registry registry_;
};

int main() {
  const auto system = troupe::CreateSystem();
  if (!system.ok()) {
    std::puts(system.status().ToString().c_str());
    return 1;
  }
  const auto spawned = (*system)->Spawn<Archivist>({.name = "archivist"});
  const auto found = (*system)->Get<troupe::Names>().Find<Year>("archivist");
  if (!spawned.ok() || !found.ok()) return 1;
  const auto year = found->Call<Year>().Wait();
  std::printf("%d\n", year.value_or(-1));
  return year.ok() && *year == Registry().year ? 0 : 1;
}
