#include "troupe/benchmarks/report.h"

#include <cstdint>
#include <string>

#include "absl/strings/str_format.h"
#include "absl/time/time.h"

namespace troupe::benchmarks {
namespace {

double PerOperation(uint64_t count, const Measured& measured) {
  return static_cast<double>(count) / static_cast<double>(measured.operations);
}

double PerSecond(const Measured& measured) {
  return static_cast<double>(measured.operations) /
         absl::ToDoubleSeconds(measured.elapsed);
}

// Empty unless the workload keeps its actors: then each operation made one.
std::string BytesPerActor(const Result& result) {
  if (!result.keeps_actors) return "";
  return absl::StrFormat("%.1f",
                         static_cast<double>(result.measured.rss_growth_bytes) /
                             static_cast<double>(result.measured.operations));
}

absl::string_view Parameter(const Result& result) {
  return result.forced ? "forced" : "";
}

absl::string_view Temperature(const Result& result) {
  return result.cold ? "cold" : "warm";
}

}  // namespace

std::string CsvHeader() {
  return "workload,workers,param,temperature,operations,seconds,"
         "operations_per_second,peak_rss_bytes,bytes_per_actor,"
         "allocations_per_operation\n";
}

std::string CsvRow(const Result& result) {
  const Measured& measured = result.measured;
  return absl::StrFormat(
      "%s,%d,%s,%s,%d,%.6f,%.0f,%d,%s,%.6g\n", result.workload, result.workers,
      Parameter(result), Temperature(result), measured.operations,
      absl::ToDoubleSeconds(measured.elapsed), PerSecond(measured),
      measured.peak_rss_bytes, BytesPerActor(result),
      PerOperation(measured.allocations, measured));
}

std::string TextHeader() {
  return "workload             workers param  temper- M opera-   seconds"
         "    M/s     ns  peak MB  B/actor  allocs/op  wakes/M\n"
         "                                    ature     tions\n";
}

std::string TextRow(const Result& result) {
  const Measured& measured = result.measured;
  constexpr double kMillion = 1e6;
  return absl::StrFormat(
      "%-20s %7d %-6s %-7s %8.3f %9.6f %6.1f %6.1f %8.1f %8s %10.6f %8.1f\n",
      result.workload, result.workers, Parameter(result), Temperature(result),
      static_cast<double>(measured.operations) / kMillion,
      absl::ToDoubleSeconds(measured.elapsed), PerSecond(measured) / kMillion,
      1e9 / PerSecond(measured),
      static_cast<double>(measured.peak_rss_bytes) / kMillion,
      BytesPerActor(result), PerOperation(measured.allocations, measured),
      PerOperation(measured.wakes, measured) * kMillion);
}

}  // namespace troupe::benchmarks
