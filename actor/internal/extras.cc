#include "troupe/actor/internal/extras.h"

namespace troupe::internal {

CellExtras& Cell::Extras() {
  if (extras == nullptr) extras = new CellExtras;
  return *extras;
}

}  // namespace troupe::internal
