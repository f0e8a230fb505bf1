// How much text does one core count per second? To compare with: what reading
// brings, and what the actors around it lose.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "benchmark/benchmark.h"
#include "troupe/base/random.h"
#include "troupe/examples/word_count/tokenizer.h"
#include "troupe/examples/word_count/word_counts.h"

namespace troupe::word_count {
namespace {

constexpr size_t kTextBytes = 16 << 20;
constexpr size_t kChunkBytes = 256 * 1024;

// Text with the statistics of English, as far as they matter here: the k-th
// most frequent of `distinct` words comes up in proportion to 1/k (Zipf's law),
// frequent words are short, and a word and what follows it have 6 bytes on
// average.
std::string TextLikeEnglish(size_t distinct) {
  Random random(1);
  std::vector<std::string> words(distinct);
  std::vector<double> cumulative(distinct);
  double sum = 0;
  for (size_t k = 0; k < distinct; ++k) {
    const size_t shortest = k < 100 ? 1 : 3;
    const size_t letters = shortest + random.Uniform(4) + random.Uniform(4);
    for (size_t i = 0; i < letters; ++i) {
      words[k] += static_cast<char>('a' + random.Uniform(26));
    }
    sum += 1.0 / static_cast<double>(k + 1);
    cumulative[k] = sum;
  }
  std::string text;
  text.reserve(kTextBytes + 100);
  while (text.size() < kTextBytes) {
    constexpr uint64_t kSteps = uint64_t{1} << 32;
    const double at = sum * static_cast<double>(random.Uniform(kSteps)) /
                      static_cast<double>(kSteps);
    const size_t k =
        std::upper_bound(cumulative.begin(), cumulative.end(), at) -
        cumulative.begin();
    text += words[k];
    text += random.Bernoulli(0.1) ? ", " : " ";
  }
  return text;
}

// Calls `use` with the text, chunk by chunk, once per iteration.
template <typename Use>
void ForEachChunk(benchmark::State& state, std::string_view text, Use use) {
  for (auto _ : state) {
    for (size_t at = 0; at < text.size(); at += kChunkBytes) {
      use(text.substr(at, kChunkBytes));
    }
  }
  state.SetBytesProcessed(state.iterations() *
                          static_cast<int64_t>(text.size()));
}

// The floor: finding the words without counting them.
void BM_ForEachWord(benchmark::State& state) {
  const std::string text = TextLikeEnglish(state.range(0));
  ForEachChunk(state, text, [](std::string_view chunk) {
    size_t letters = 0;
    ForEachWord(chunk, [&](std::string_view word) { letters += word.size(); });
    benchmark::DoNotOptimize(letters);
  });
}
BENCHMARK(BM_ForEachWord)->ArgName("distinct")->Arg(20'000);

// A big text: its words are known already, but for the first iteration.
void BM_AddToFullTable(benchmark::State& state) {
  const std::string text = TextLikeEnglish(state.range(0));
  WordCounts counts;
  ForEachChunk(state, text, [&](std::string_view chunk) { counts.Add(chunk); });
  benchmark::DoNotOptimize(counts);
}
BENCHMARK(BM_AddToFullTable)
    ->ArgName("distinct")
    ->Arg(1'000)
    ->Arg(20'000)
    ->Arg(500'000);

// A file of one chunk, counted by nobody before.
void BM_AddToEmptyTable(benchmark::State& state) {
  const std::string text = TextLikeEnglish(state.range(0));
  ForEachChunk(state, text, [](std::string_view chunk) {
    WordCounts counts;
    counts.Add(chunk);
    benchmark::DoNotOptimize(counts);
  });
}
BENCHMARK(BM_AddToEmptyTable)->ArgName("distinct")->Arg(20'000);

// What the reducer does once per counter: the same words on both sides.
void BM_Merge(benchmark::State& state) {
  const std::string text = TextLikeEnglish(state.range(0));
  WordCounts merged;
  merged.Add(text);
  for (auto _ : state) {
    state.PauseTiming();
    WordCounts counts;
    counts.Add(text);
    state.ResumeTiming();
    merged.Merge(std::move(counts));
  }
  state.SetItemsProcessed(state.iterations() * merged.distinct());
}
BENCHMARK(BM_Merge)->ArgName("distinct")->Arg(20'000);

void BM_TopTen(benchmark::State& state) {
  WordCounts counts;
  counts.Add(TextLikeEnglish(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(counts.TopN(10));
  state.SetItemsProcessed(state.iterations() * counts.distinct());
}
BENCHMARK(BM_TopTen)->ArgName("distinct")->Arg(20'000);

}  // namespace
}  // namespace troupe::word_count
