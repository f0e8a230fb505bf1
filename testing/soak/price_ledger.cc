#include "troupe/testing/soak/price_ledger.h"

#include <cstddef>

#include "absl/strings/str_cat.h"

namespace troupe::testing {

void PriceLedger::Publish(int64_t number) {
  absl::MutexLock lock(&mu_);
  published_ = number;
}

int64_t PriceLedger::published() const {
  absl::MutexLock lock(&mu_);
  return published_;
}

void PriceLedger::Subscribe(int reader, bool is_lossless) {
  absl::MutexLock lock(&mu_);
  readers_[reader] = {.is_lossless = is_lossless, .promised_after = published_};
}

std::string PriceLedger::See(int reader, int64_t number) {
  absl::MutexLock lock(&mu_);
  Reader& its = readers_[reader];
  const int64_t before = its.seen;
  its.seen = number;
  if (number <= before ||
      (its.is_lossless && before > 0 && number > before + 1)) {
    return absl::StrCat("clerk ", reader, " saw price ", number, " after ",
                        before);
  }
  if (its.is_lossless && before == 0 && number > its.promised_after + 1) {
    return absl::StrCat("clerk ", reader, " saw price ", number,
                        " first, and was promised all after ",
                        its.promised_after);
  }
  return "";
}

std::string PriceLedger::Missing(int64_t up_to) const {
  absl::MutexLock lock(&mu_);
  std::string text;
  for (size_t i = 0; i < readers_.size(); ++i) {
    const Reader& reader = readers_[i];
    if (!reader.is_lossless || up_to <= reader.promised_after ||
        reader.seen >= up_to) {
      continue;
    }
    absl::StrAppend(&text, text.empty() ? "" : "; ", "clerk ", i,
                    " was promised price ", up_to, ", and saw ");
    if (reader.seen == 0) {
      absl::StrAppend(&text, "none");
    } else {
      absl::StrAppend(&text, reader.seen, " last");
    }
  }
  return text;
}

}  // namespace troupe::testing
