#include "troupe/supervision/supervisor_api.h"

#include "absl/strings/str_cat.h"

namespace troupe {

std::string ChildName::ToString() const {
  return id_.empty() ? instance_.ToString() : absl::StrCat("'", id_, "'");
}

}  // namespace troupe
