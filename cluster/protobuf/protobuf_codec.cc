#include "troupe/cluster/protobuf/protobuf_codec.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "troupe/cluster/protobuf/internal/parse_memory.h"

namespace troupe::internal {
namespace {

constexpr size_t kMaxBytes = std::numeric_limits<int32_t>::max();

std::string Incomplete(const google::protobuf::Message& message) {
  return absl::StrCat("a ", message.GetDescriptor()->full_name(), " misses ",
                      message.InitializationErrorString());
}

}  // namespace

void EncodeProtobuf(const google::protobuf::Message& message, Encoder& out) {
  if (!message.IsInitialized()) {
    return out.Fail(absl::InvalidArgumentError(Incomplete(message)));
  }
  const size_t size = message.ByteSizeLong();
  if (size > kMaxBytes) {
    return out.Fail(absl::ResourceExhaustedError(absl::StrCat(
        "a ", message.GetDescriptor()->full_name(), " has ", size, " bytes")));
  }
  out.WriteVarint(size);
  char* const begin = out.Claim(size);
  if (begin == nullptr) return;
  {
    google::protobuf::io::ArrayOutputStream array(begin,
                                                  static_cast<int>(size));
    google::protobuf::io::CodedOutputStream coded(&array);
    coded.SetSerializationDeterministic(true);
    message.SerializeWithCachedSizes(&coded);
  }
  const absl::StatusOr<size_t> memory =
      ParseMemory(absl::string_view(begin, size), *message.GetDescriptor());
  if (!memory.ok()) {
    return out.Fail(absl::InvalidArgumentError(memory.status().message()));
  }
  out.CountMemory(*memory);
}

void DecodeProtobuf(Decoder& in, google::protobuf::Message& message) {
  const absl::string_view bytes = in.ReadBytes();
  if (!in.ok()) return;
  if (bytes.size() > kMaxBytes) return in.Fail("2 GiB of protobuf");
  const absl::StatusOr<size_t> memory =
      ParseMemory(bytes, *message.GetDescriptor());
  if (!memory.ok()) return in.Fail(memory.status().message());
  if (!in.TakeMemory(*memory)) return;
  if (!message.ParsePartialFromArray(bytes.data(),
                                     static_cast<int>(bytes.size()))) {
    in.Fail(absl::StrCat("no ", message.GetDescriptor()->full_name()));
  } else if (!message.IsInitialized()) {
    in.Fail(Incomplete(message));
  }
}

}  // namespace troupe::internal
