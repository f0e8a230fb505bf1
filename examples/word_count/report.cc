#include "troupe/examples/word_count/report.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "nlohmann/json.hpp"

namespace troupe::word_count {
namespace {

// "1 input", "2 inputs".
std::string Counted(int64_t count, const char* noun) {
  return absl::StrCat(count, " ", noun, count == 1 ? "" : "s");
}

}  // namespace

std::string TextReport(const Report& report) {
  constexpr char kCountHeading[] = "count";
  size_t width = sizeof(kCountHeading) - 1;
  for (const WordCount& entry : report.top) {
    width = std::max(width, absl::StrCat(entry.count).size());
  }
  std::string text;
  if (!report.top.empty()) {
    absl::StrAppendFormat(&text, "%*s  word\n", width, kCountHeading);
    for (const WordCount& entry : report.top) {
      absl::StrAppendFormat(&text, "%*d  %s\n", width, entry.count, entry.word);
    }
    text += "\n";
  }
  absl::StrAppendFormat(
      &text, "%s (%d distinct), %s in %s: %.3f s, %s/s, %s\n",
      Counted(report.words, "word"), report.distinct, HumanBytes(report.bytes),
      Counted(report.inputs, "input"), absl::ToDoubleSeconds(report.elapsed),
      HumanBytes(BytesPerSecond(report.bytes, report.elapsed)),
      Counted(report.workers, "worker"));
  return text;
}

std::string JsonReport(const Report& report) {
  nlohmann::ordered_json top = nlohmann::ordered_json::array();
  for (const WordCount& entry : report.top) {
    top.push_back({{"word", entry.word}, {"count", entry.count}});
  }
  const nlohmann::ordered_json json = {
      {"top", top},
      {"words", report.words},
      {"distinct", report.distinct},
      {"bytes", report.bytes},
      {"inputs", report.inputs},
      {"workers", report.workers},
      {"seconds", absl::ToDoubleSeconds(report.elapsed)},
      {"bytes_per_second", BytesPerSecond(report.bytes, report.elapsed)},
      {"errors", report.errors},
  };
  constexpr int kIndent = 2;
  return json.dump(kIndent, ' ', /*ensure_ascii=*/false,
                   nlohmann::ordered_json::error_handler_t::replace) +
         "\n";
}

std::string HumanBytes(double bytes) {
  const char* unit = "kB";
  bytes /= 1e3;
  for (const char* bigger : {"MB", "GB", "TB"}) {
    if (bytes < 1e3) break;
    unit = bigger;
    bytes /= 1e3;
  }
  return absl::StrFormat("%.1f %s", bytes, unit);
}

double BytesPerSecond(int64_t bytes, absl::Duration elapsed) {
  const double seconds = absl::ToDoubleSeconds(elapsed);
  return seconds > 0 ? bytes / seconds : 0;
}

}  // namespace troupe::word_count
