#include "troupe/cluster/grpc/internal/frames.h"

#include <cstddef>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "grpcpp/support/slice.h"

namespace troupe::internal {
namespace {

// Of the message of a goodbye, which is text for people.
constexpr size_t kMaxGoodbyeBytes = 1024;

void DeleteString(void* string) { delete static_cast<std::string*>(string); }

}  // namespace

grpc::ByteBuffer ToMessage(std::string frame, FrameKind kind) {
  const char last = static_cast<char>(kind);
  const grpc::Slice kind_slice(&last, 1);
  if (frame.empty()) return grpc::ByteBuffer(&kind_slice, 1);
  auto* const bytes = new std::string(std::move(frame));
  const grpc::Slice slices[] = {
      grpc::Slice(bytes->data(), bytes->size(), &DeleteString, bytes),
      kind_slice};
  return grpc::ByteBuffer(slices, 2);
}

absl::StatusOr<FrameKind> FromMessage(const grpc::ByteBuffer& message,
                                      std::string& frame) {
  // One that came in one piece needs no list of pieces.
  std::vector<grpc::Slice> slices;
  grpc::Slice whole;
  const bool is_one = message.TrySingleSlice(&whole).ok();
  if (message.Length() == 0 || (!is_one && !message.Dump(&slices).ok())) {
    return absl::DataLossError("a message of gRPC has no frame in it");
  }
  frame.clear();
  frame.reserve(message.Length());
  if (is_one) {
    frame.append(reinterpret_cast<const char*>(whole.begin()), whole.size());
  }
  for (const grpc::Slice& slice : slices) {
    frame.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  const char kind = frame.back();
  frame.pop_back();
  if (kind != static_cast<char>(FrameKind::kFrame) &&
      kind != static_cast<char>(FrameKind::kGoodbye)) {
    return absl::DataLossError(
        absl::StrCat("there is no kind ", static_cast<int>(kind), " of frame"));
  }
  return static_cast<FrameKind>(kind);
}

std::string EncodeGoodbye(const absl::Status& why) {
  return absl::StrCat(std::string(1, static_cast<char>(why.raw_code())),
                      why.message().substr(0, kMaxGoodbyeBytes));
}

absl::Status DecodeGoodbye(absl::string_view frame) {
  if (frame.empty() || frame.size() > 1 + kMaxGoodbyeBytes) {
    return absl::DataLossError("the other end's goodbye makes no sense");
  }
  // What is no code becomes kUnknown.
  return absl::Status(static_cast<absl::StatusCode>(frame.front()),
                      frame.substr(1));
}

}  // namespace troupe::internal
