// A timer wheel in a program with its own idea of time.
//
//   ./bazelw run //examples:kitchen_timers
//
// prints
//
//   minute 3: tea
//   minute 45: cake
#include <iostream>
#include <string>
#include <utility>

#include "troupe/scheduler/timer_wheel.h"

namespace {

struct Dish : troupe::TimerNode {
  explicit Dish(std::string its_name) : name(std::move(its_name)) {}
  std::string name;
};

}  // namespace

int main() {
  troupe::TimerWheel wheel;  // A tick is what its user says: here a minute.
  Dish tea("tea"), soup("soup"), cake("cake");
  wheel.Schedule(cake, 45);
  wheel.Schedule(soup, 20);
  wheel.Schedule(tea, 3);
  wheel.Cancel(soup);
  wheel.Advance(60, [&wheel](troupe::TimerNode& node) {
    std::cout << "minute " << wheel.now_tick() << ": "
              << static_cast<Dish&>(node).name << "\n";
  });
}
