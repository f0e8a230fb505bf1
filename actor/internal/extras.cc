#include "troupe/actor/internal/extras.h"

#include <utility>

#include "troupe/actor/internal/cell.h"

namespace troupe::internal {

CellExtras& Cell::Extras() {
  if (extras == nullptr) extras = new CellExtras;
  return *extras;
}

void Cell::DeleteExtras() { delete std::exchange(extras, nullptr); }

}  // namespace troupe::internal
