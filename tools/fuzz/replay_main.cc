// Runs a fuzz test on files: its corpus, where there is no libFuzzer.
//
//   name_fuzz_test FILE...
//
// Each input is copied to memory of exactly its size, so that sanitizers see a
// read behind it. Exits with 1 if there is no file, or one that cannot be read
// or is no part of a small corpus; whatever else fails ends the program.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv);
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

// What is replayed in each test run and kept in the repository for ever.
constexpr int kMaxFiles = 50;
constexpr size_t kMaxBytes = 4096;

bool Replay(const char* path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();
  const std::string bytes = content.str();
  if (!file.is_open() || file.bad()) {
    std::fprintf(stderr, "%s: cannot be read\n", path);
    return false;
  }
  if (bytes.size() > kMaxBytes) {
    std::fprintf(stderr, "%s: has %zu bytes; the most is %zu\n", path,
                 bytes.size(), kMaxBytes);
    return false;
  }
  // Of a crash, this is the last line.
  std::printf("%s\n", path);
  std::fflush(stdout);
  const std::unique_ptr<uint8_t[]> exact(new uint8_t[bytes.size()]);
  std::memcpy(exact.get(), bytes.data(), bytes.size());
  return LLVMFuzzerTestOneInput(exact.get(), bytes.size()) == 0;
}

}  // namespace

int main(int argc, char** argv) {
  LLVMFuzzerInitialize(&argc, &argv);
  const int files = argc - 1;
  if (files == 0 || files > kMaxFiles) {
    std::fprintf(stderr, "a corpus has 1 to %d files, not %d\n", kMaxFiles,
                 files);
    return 1;
  }
  bool all = LLVMFuzzerTestOneInput(nullptr, 0) == 0;
  for (int i = 1; i < argc; ++i) all = Replay(argv[i]) && all;
  std::printf("%d inputs\n", files);
  return all ? 0 : 1;
}
