// Reads text as chunks in which every word is whole, so that chunks can be
// counted apart from each other, in any order.
//
// Example:
//
//   absl::StatusOr<ChunkReader> reader = ChunkReader::Open("README.md");
//   if (!reader.ok()) return reader.status();
//   std::string chunk;
//   do {
//     if (absl::Status read = reader->Next(chunk); !read.ok()) return read;
//     counts.Add(chunk);
//   } while (!chunk.empty());
#ifndef TROUPE_EXAMPLES_WORD_COUNT_CHUNK_READER_H_
#define TROUPE_EXAMPLES_WORD_COUNT_CHUNK_READER_H_

#include <sys/types.h>
#include <unistd.h>

#include <cstddef>
#include <string>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace troupe::word_count {

struct ChunkReaderOptions {
  // The size of a chunk, but for the last one, and but for what a word that
  // would be cut takes off or adds. At least 1.
  size_t chunk_bytes = 256 * 1024;

  // read(2), or something that does as if.
  absl::AnyInvocable<ssize_t(int fd, void* buffer, size_t buffer_bytes)> read =
      &::read;
};

// Ownership: owns the open file.
// Blocking: Open() and Next() wait for the file; what comes from a pipe may
// take for ever.
// Thread safety: none; but it may move from thread to thread.
// Errors: each message begins with the path, or with "standard input".
class ChunkReader {
 public:
  // How much of a file's beginning decides whether it is binary: it is if there
  // is a NUL among these bytes. Later ones are separators like any other.
  static constexpr size_t kBinaryCheckBytes = 8 * 1024;

  // Opens the file at `path`; "-" is standard input, which stays open.
  //
  // kNotFound: there is no such file.
  // kPermissionDenied: it may not be read.
  // kInvalidArgument: it is binary.
  // Others, as absl::ErrnoToStatus() has them: it cannot be opened or read, as
  // for a directory.
  static absl::StatusOr<ChunkReader> Open(const std::string& path,
                                          ChunkReaderOptions options = {});

  // Replaces `chunk` by the next one, or makes it empty at the end of the file
  // and after an error. The same string can be used again and again; then
  // nothing is allocated.
  //
  // A run of letters that is longer than a chunk is one word and comes whole,
  // in a chunk as big as needed: memory is bounded by a small multiple of the
  // longest word, or of `chunk_bytes`. There is no other limit, for any limit
  // would make a count wrong.
  //
  // Codes as absl::ErrnoToStatus() has them: the file cannot be read further;
  // what was read since the last chunk is lost.
  absl::Status Next(std::string& chunk);

  // The path, or "standard input".
  const std::string& name() const { return name_; }

 private:
  // Closes what it holds, if anything.
  class File {
   public:
    explicit File(int fd) : fd_(fd) {}
    File(File&& other) noexcept;
    File& operator=(File&& other) noexcept;
    ~File();
    int fd() const { return fd_; }

   private:
    int fd_;
  };

  ChunkReader(std::string name, File file, ChunkReaderOptions options)
      : name_(std::move(name)),
        file_(std::move(file)),
        options_(std::move(options)) {}

  // Reads until the buffer is full or the file ends; returns the bytes read.
  absl::StatusOr<size_t> Read(char* buffer, size_t buffer_bytes);

  std::string name_;
  File file_;
  ChunkReaderOptions options_;
  // Was read and is not part of a chunk yet: the bytes looked at by Open(),
  // later the beginning of a word that did not fit into the last chunk.
  std::string ahead_;
  // No more is read after the end, which a terminal reports only once.
  bool at_end_ = false;
};

}  // namespace troupe::word_count

#endif  // TROUPE_EXAMPLES_WORD_COUNT_CHUNK_READER_H_
