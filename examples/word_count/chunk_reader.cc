#include "troupe/examples/word_count/chunk_reader.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "troupe/examples/word_count/tokenizer.h"

namespace troupe::word_count {
namespace {

// Opening a FIFO waits for its writer, and a signal can end that.
int OpenForReading(const std::string& path) {
  int fd;
  do {
    fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  } while (fd < 0 && errno == EINTR);
  return fd;
}

}  // namespace

absl::StatusOr<ChunkReader> ChunkReader::Open(const std::string& path,
                                              ChunkReaderOptions options) {
  const bool standard_input = path == "-";
  std::string name = standard_input ? "standard input" : path;
  const int fd = standard_input ? ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)
                                : OpenForReading(path);
  if (fd < 0) return absl::ErrnoToStatus(errno, name);
  ChunkReader reader(std::move(name), File(fd), std::move(options));

  std::string beginning(kBinaryCheckBytes, '\0');
  absl::StatusOr<size_t> bytes =
      reader.Read(beginning.data(), beginning.size());
  if (!bytes.ok()) return bytes.status();
  beginning.resize(*bytes);
  if (beginning.find('\0') != std::string::npos) {
    return absl::InvalidArgumentError(
        absl::StrCat(reader.name_, ": binary file"));
  }
  reader.ahead_ = std::move(beginning);
  return reader;
}

absl::Status ChunkReader::Next(std::string& chunk) {
  // Gives back what a long word has needed; assigning would keep it.
  if (chunk.capacity() > 2 * options_.chunk_bytes) std::string().swap(chunk);
  size_t chunk_bytes = 0;
  for (;;) {
    // The old contents are overwritten, not cleared first: so only what the
    // string grows by is filled with zeros.
    chunk.resize(chunk_bytes + options_.chunk_bytes);
    absl::StatusOr<size_t> bytes =
        Read(chunk.data() + chunk_bytes, options_.chunk_bytes);
    if (!bytes.ok()) {
      chunk.clear();
      return bytes.status();
    }
    const std::string_view read(chunk.data() + chunk_bytes, *bytes);
    const bool at_end = read.size() < options_.chunk_bytes;
    const size_t whole_words_bytes =
        at_end ? read.size() : WholeWordsBytes(read);
    if (at_end || whole_words_bytes > 0) {
      ahead_.insert(0, read.substr(whole_words_bytes));
      chunk.resize(chunk_bytes + whole_words_bytes);
      return absl::OkStatus();
    }
    chunk_bytes += read.size();
  }
}

absl::StatusOr<size_t> ChunkReader::Read(char* buffer, size_t buffer_bytes) {
  size_t filled = std::min(ahead_.size(), buffer_bytes);
  std::memcpy(buffer, ahead_.data(), filled);
  ahead_.erase(0, filled);
  while (filled < buffer_bytes && !at_end_) {
    const ssize_t bytes =
        options_.read(file_.fd(), buffer + filled, buffer_bytes - filled);
    if (bytes > 0) {
      filled += bytes;
    } else if (bytes == 0) {
      at_end_ = true;
    } else if (errno != EINTR) {
      return absl::ErrnoToStatus(errno, name_);
    }
  }
  return filled;
}

ChunkReader::File::File(File&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)) {}

ChunkReader::File& ChunkReader::File::operator=(File&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

ChunkReader::File::~File() {
  // Only reading went through it: there is nothing that closing could lose.
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace troupe::word_count
