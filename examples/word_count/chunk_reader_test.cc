#include "troupe/examples/word_count/chunk_reader.h"

#include <linux/capability.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/base/random.h"
#include "troupe/examples/word_count/word_counts.h"
#include "troupe/testing/seeds.h"
#include "troupe/testing/status_matchers.h"

namespace troupe::word_count {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::troupe::testing::IsOk;
using ::troupe::testing::IsOkAndHolds;
using ::troupe::testing::SeedTrace;
using ::troupe::testing::StatusIs;
using ::troupe::testing::TestSeeds;

constexpr size_t kAll = std::numeric_limits<size_t>::max();

std::string TempPath(const std::string& name) {
  return ::testing::TempDir() + "/" + name;
}

std::string TempFileWith(std::string_view text) {
  const std::string path = TempPath("input.txt");
  std::ofstream(path, std::ios::binary) << text;
  return path;
}

absl::StatusOr<std::vector<std::string>> ReadAll(
    absl::StatusOr<ChunkReader> reader) {
  if (!reader.ok()) return reader.status();
  std::vector<std::string> chunks;
  std::string chunk;
  for (;;) {
    if (absl::Status read = reader->Next(chunk); !read.ok()) return read;
    if (chunk.empty()) return chunks;
    chunks.push_back(chunk);
  }
}

absl::StatusOr<std::vector<std::string>> Chunks(std::string_view text,
                                                size_t chunk_bytes) {
  return ReadAll(
      ChunkReader::Open(TempFileWith(text), {.chunk_bytes = chunk_bytes}));
}

std::string Joined(const std::vector<std::string>& chunks) {
  std::string text;
  for (const std::string& chunk : chunks) text += chunk;
  return text;
}

TEST(ChunkReaderTest, EmptyFileHasNoChunks) {
  EXPECT_THAT(Chunks("", 10), IsOkAndHolds(IsEmpty()));
}

TEST(ChunkReaderTest, ShortFileIsOneChunk) {
  EXPECT_THAT(Chunks("two words", 10), IsOkAndHolds(ElementsAre("two words")));
  EXPECT_THAT(Chunks("\n", 10), IsOkAndHolds(ElementsAre("\n")));
}

TEST(ChunkReaderTest, WordsAreNotCut) {
  EXPECT_THAT(Chunks("the cat and the dog", 10),
              IsOkAndHolds(ElementsAre("the cat ", "and the ", "dog")));
}

TEST(ChunkReaderTest, LongWordComesWhole) {
  const std::string word(1000, 'w');
  EXPECT_THAT(Chunks(word, 10), IsOkAndHolds(ElementsAre(word)));
  EXPECT_THAT(Chunks("a " + word + " and no more", 10),
              IsOkAndHolds(ElementsAre("a ", word + " and no ", "more")));
  // Exactly as long as a chunk, and one letter longer.
  EXPECT_THAT(Chunks("abcdefghij", 10),
              IsOkAndHolds(ElementsAre("abcdefghij")));
  EXPECT_THAT(
      Chunks("abcdefghij klmno pqrst uvwxyz", 10),
      IsOkAndHolds(ElementsAre("abcdefghij klmno ", "pqrst ", "uvwxyz")));
  EXPECT_THAT(
      Chunks("abcdefghijk lmno pqrst uvwxyz", 10),
      IsOkAndHolds(ElementsAre("abcdefghijk lmno ", "pqrst ", "uvwxyz")));
}

TEST(ChunkReaderTest, LongWordOfManyChunksKeepsMemoryForItselfOnly) {
  constexpr size_t kChunkBytes = 64 * 1024;
  const std::string word(3 << 20, 'w');
  absl::StatusOr<ChunkReader> reader = ChunkReader::Open(
      TempFileWith(word + " then others"), {.chunk_bytes = kChunkBytes});
  ASSERT_THAT(reader, IsOk());
  std::string chunk;
  ASSERT_THAT(reader->Next(chunk), IsOk());
  EXPECT_EQ(chunk, word + " then others");
  EXPECT_LE(chunk.capacity(), 2 * (word.size() + kChunkBytes));
  ASSERT_THAT(reader->Next(chunk), IsOk());
  EXPECT_THAT(chunk, IsEmpty());
  EXPECT_LE(chunk.capacity(), 2 * kChunkBytes);
}

TEST(ChunkReaderTest, ChunksUseTheStringThatTheyAreGiven) {
  constexpr size_t kChunkBytes = 16 * 1024;
  std::string text;
  for (int i = 0; i < 10'000; ++i) text += "some words ";
  absl::StatusOr<ChunkReader> reader =
      ChunkReader::Open(TempFileWith(text), {.chunk_bytes = kChunkBytes});
  ASSERT_THAT(reader, IsOk());
  std::string chunk;
  ASSERT_THAT(reader->Next(chunk), IsOk());
  const char* const buffer = chunk.data();
  size_t bytes = 0;
  while (!chunk.empty()) {
    EXPECT_EQ(chunk.data(), buffer);
    EXPECT_LE(chunk.size(), kChunkBytes);
    bytes += chunk.size();
    ASSERT_THAT(reader->Next(chunk), IsOk());
  }
  EXPECT_EQ(bytes, text.size());
}

TEST(ChunkReaderTest, NextAfterTheEndStaysAtTheEnd) {
  int reads_after_end = 0;
  bool ended = false;
  absl::StatusOr<ChunkReader> reader = ChunkReader::Open(
      TempFileWith("a b"),
      {.read = [&](int fd, void* buffer, size_t buffer_bytes) {
        if (ended) ++reads_after_end;
        const ssize_t bytes = ::read(fd, buffer, buffer_bytes);
        ended = bytes == 0;
        return bytes;
      }});
  ASSERT_THAT(ReadAll(std::move(reader)), IsOkAndHolds(ElementsAre("a b")));
  EXPECT_EQ(reads_after_end, 0);
}

// Letters and separators, with a longer run of one of them now and then.
std::string RandomText(Random& random) {
  constexpr char kBytes[] = "abAB.\n";
  std::string text;
  for (size_t i = random.Uniform(1000); i > 0; --i) {
    const size_t times = random.Uniform(50) == 0 ? random.Uniform(200) : 1;
    text.append(times, kBytes[random.Uniform(sizeof(kBytes) - 1)]);
  }
  return text;
}

// Wherever the text is cut, and however few bytes each read(2) brings, the
// counts are those of the text as a whole.
TEST(ChunkReaderTest, CountsDoNotDependOnHowTheTextIsCut) {
  for (uint64_t seed : TestSeeds(5)) {
    SCOPED_TRACE(SeedTrace(seed));
    Random random(seed);
    const std::string text = RandomText(random);
    WordCounts expected;
    expected.Add(text);
    const auto read_some = [&](int fd, void* buffer,
                               size_t buffer_bytes) -> ssize_t {
      if (random.Bernoulli(0.25)) {
        errno = EINTR;
        return -1;
      }
      return ::read(fd, buffer, 1 + random.Uniform(buffer_bytes));
    };
    for (size_t chunk_bytes = 1; chunk_bytes <= 64; ++chunk_bytes) {
      SCOPED_TRACE(chunk_bytes);
      absl::StatusOr<std::vector<std::string>> chunks = ReadAll(
          ChunkReader::Open(TempFileWith(text),
                            {.chunk_bytes = chunk_bytes, .read = read_some}));
      ASSERT_THAT(chunks, IsOk());
      ASSERT_EQ(Joined(*chunks), text);
      WordCounts actual;
      for (const std::string& chunk : *chunks) actual.Add(chunk);
      ASSERT_EQ(actual.TopN(kAll), expected.TopN(kAll));
      ASSERT_EQ(actual.words(), expected.words());
      ASSERT_EQ(actual.bytes(), expected.bytes());
    }
  }
}

TEST(ChunkReaderTest, MissingFileIsNamed) {
  const std::string path = TempPath("missing.txt");
  EXPECT_THAT(ChunkReader::Open(path),
              StatusIs(absl::StatusCode::kNotFound,
                       path + ": No such file or directory"));
}

TEST(ChunkReaderTest, DirectoryIsNamed) {
  EXPECT_THAT(ChunkReader::Open(::testing::TempDir()),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       ::testing::TempDir() + ": Is a directory"));
}

// While it lives, root has no privileges in this thread and may read only what
// the permissions of a file allow. Others have none to lose.
class PermissionsCount {
 public:
  PermissionsCount() {
    EXPECT_EQ(::syscall(SYS_capget, &header_, saved_), 0);
    __user_cap_data_struct none[2] = {saved_[0], saved_[1]};
    for (__user_cap_data_struct& set : none) set.effective = 0;
    EXPECT_EQ(::syscall(SYS_capset, &header_, none), 0);
  }
  PermissionsCount(const PermissionsCount&) = delete;
  PermissionsCount& operator=(const PermissionsCount&) = delete;
  ~PermissionsCount() { EXPECT_EQ(::syscall(SYS_capset, &header_, saved_), 0); }

 private:
  __user_cap_header_struct header_ = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct saved_[2] = {};
};

TEST(ChunkReaderTest, UnreadableFileIsNamed) {
  const std::string path = TempFileWith("secret");
  ASSERT_EQ(::chmod(path.c_str(), 0), 0);
  {
    PermissionsCount permissions_count;
    EXPECT_THAT(ChunkReader::Open(path),
                StatusIs(absl::StatusCode::kPermissionDenied,
                         path + ": Permission denied"));
  }
  ASSERT_EQ(::unlink(path.c_str()), 0);
}

TEST(ChunkReaderTest, FailureToReadIsNamed) {
  const std::string path = TempFileWith("words");
  absl::StatusOr<ChunkReader> reader =
      ChunkReader::Open(path, {.read = [](int, void*, size_t) -> ssize_t {
                          errno = EIO;
                          return -1;
                        }});
  EXPECT_THAT(reader, StatusIs(absl::ErrnoToStatusCode(EIO),
                               path + ": Input/output error"));
}

TEST(ChunkReaderTest, FailureFurtherOnEndsTheChunks) {
  bool broken = false;
  const std::string path = TempFileWith(std::string(20'000, '-'));
  absl::StatusOr<ChunkReader> reader = ChunkReader::Open(
      path, {.chunk_bytes = 10'000,
             .read = [&](int fd, void* buffer, size_t buffer_bytes) -> ssize_t {
               if (!broken) return ::read(fd, buffer, buffer_bytes);
               errno = EIO;
               return -1;
             }});
  ASSERT_THAT(reader, IsOk());
  std::string chunk;
  EXPECT_THAT(reader->Next(chunk), IsOk());
  EXPECT_THAT(chunk, SizeIs(10'000));
  broken = true;
  EXPECT_THAT(reader->Next(chunk), StatusIs(absl::ErrnoToStatusCode(EIO),
                                            path + ": Input/output error"));
  EXPECT_THAT(chunk, IsEmpty());
}

TEST(ChunkReaderTest, BinaryFileIsNamed) {
  for (size_t nul : {size_t{0}, ChunkReader::kBinaryCheckBytes - 1}) {
    std::string text(3 * ChunkReader::kBinaryCheckBytes, 'x');
    text[nul] = '\0';
    const std::string path = TempFileWith(text);
    EXPECT_THAT(
        ChunkReader::Open(path),
        StatusIs(absl::StatusCode::kInvalidArgument, path + ": binary file"));
  }
}

TEST(ChunkReaderTest, BinaryFileIsRecognizedInShortReads) {
  const std::string path = TempFileWith(std::string_view("text\0", 5));
  EXPECT_THAT(
      ChunkReader::Open(path,
                        {.chunk_bytes = 1,
                         .read = [](int fd, void* buffer,
                                    size_t) { return ::read(fd, buffer, 1); }}),
      StatusIs(absl::StatusCode::kInvalidArgument, path + ": binary file"));
}

TEST(ChunkReaderTest, LateNulOnlySeparatesWords) {
  std::string text(ChunkReader::kBinaryCheckBytes, ' ');
  text += std::string_view("one\0two", 7);
  absl::StatusOr<std::vector<std::string>> chunks = Chunks(text, 4096);
  ASSERT_THAT(chunks, IsOk());
  EXPECT_EQ(Joined(*chunks), text);
}

// Standard input is a pipe for the time of the test.
TEST(ChunkReaderTest, DashIsStandardInput) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const int saved = ::dup(STDIN_FILENO);
  ASSERT_EQ(::dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
  ASSERT_EQ(::write(ends[1], "from a pipe", 11), 11);
  ::close(ends[0]);
  ::close(ends[1]);

  absl::StatusOr<ChunkReader> reader = ChunkReader::Open("-");
  ASSERT_THAT(reader, IsOk());
  EXPECT_EQ(reader->name(), "standard input");
  EXPECT_THAT(ReadAll(std::move(reader)),
              IsOkAndHolds(ElementsAre("from a pipe")));
  EXPECT_THAT(ReadAll(ChunkReader::Open("-")), IsOkAndHolds(IsEmpty()))
      << "it must have stayed open";

  ASSERT_EQ(::close(STDIN_FILENO), 0);
  EXPECT_THAT(ChunkReader::Open("-"),
              StatusIs(absl::ErrnoToStatusCode(EBADF),
                       "standard input: Bad file descriptor"));
  if (saved >= 0) {
    ASSERT_EQ(::dup2(saved, STDIN_FILENO), STDIN_FILENO);
    ::close(saved);
  }
}

// A descriptor that is free has the lowest number.
int NextDescriptor() {
  const int fd = ::dup(STDERR_FILENO);
  ::close(fd);
  return fd;
}

TEST(ChunkReaderTest, FilesAreClosed) {
  const int before = NextDescriptor();
  const std::string path = TempFileWith("words");
  {
    absl::StatusOr<ChunkReader> reader = ChunkReader::Open(path);
    ASSERT_THAT(reader, IsOk());
    absl::StatusOr<ChunkReader> other = ChunkReader::Open(path);
    ASSERT_THAT(other, IsOk());
    *other = std::move(*reader);
    EXPECT_NE(NextDescriptor(), before);
  }
  EXPECT_EQ(NextDescriptor(), before);
  EXPECT_THAT(ChunkReader::Open(::testing::TempDir()),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_EQ(NextDescriptor(), before);
}

}  // namespace
}  // namespace troupe::word_count
