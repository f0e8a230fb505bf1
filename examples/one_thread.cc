// Two actors on one thread, because they use a library that knows no other.
//
//   ./bazelw run //examples:one_thread
//
// prints
//
//   drawn by the thread that opened the window: yes
//   closed by it: yes
#include <iostream>
#include <thread>

#include "absl/status/statusor.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/call.h"
#include "troupe/actor/pinned_thread.h"
#include "troupe/actor/spawn_options.h"

namespace {

// What many libraries for windows are like: one thread calls them, always.
struct WindowLibrary {
  std::thread::id opened_by;
  bool IsMine() const { return opened_by == std::this_thread::get_id(); }
};

struct Draw {
  using Reply = bool;
};
struct Close {
  using Reply = bool;
};

class Window : public troupe::Actor<Close> {
 public:
  explicit Window(WindowLibrary& library) : library_(library) {
    library.opened_by = std::this_thread::get_id();
  }
  bool Handle(Close) { return library_.IsMine(); }

 private:
  WindowLibrary& library_;
};

class Scene : public troupe::Actor<Draw> {
 public:
  explicit Scene(WindowLibrary& library) : library_(library) {}
  bool Handle(Draw) { return library_.IsMine(); }

 private:
  WindowLibrary& library_;
};

void Print(const char* what, const absl::StatusOr<bool>& by_its_thread) {
  std::cout << what << (by_its_thread.value() ? "yes" : "no") << std::endl;
}

}  // namespace

int main() {
  WindowLibrary library;
  const auto system = troupe::ActorSystem::Create({}).value();
  const troupe::PinnedThread thread = system->StartThread("window").value();
  const auto window =
      system->Spawn<Window>({.thread = thread}, library).value();
  const auto scene = system->Spawn<Scene>({.thread = thread}, library).value();

  Print("drawn by the thread that opened the window: ",
        scene.Call<Draw>().Wait());
  Print("closed by it: ", window.Call<Close>().Wait());
}
