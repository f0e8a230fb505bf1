// A Task that nobody awaits: its body would never begin.
#include "troupe/actor/task.h"

troupe::Task<void> Do() { co_return; }

troupe::Task<void> Bad() {
  Do();
  co_return;
}
