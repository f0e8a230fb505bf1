#include "troupe/cluster/grpc/internal/stream.h"

#include "troupe/base/sanitizer.h"

namespace troupe::internal {
namespace {

grpc::WriteOptions HowToWrite(bool more) {
  grpc::WriteOptions options;
  if (more) options.set_buffer_hint();
  return options;
}

}  // namespace

void DialledStream::Open(Completion* done) {
  opened_ = done;
  Completion* const tag = this;
  // gRPC may find the call done in this very thread, and pass the tag on by a
  // queue in which ThreadSanitizer sees no order.
  HandOver(tag);
  stream_->StartCall(tag);
}

void DialledStream::OnDone(bool ok) {
  if (ok) {
    stream_->ReadInitialMetadata(opened_);
  } else {
    opened_->OnDone(false);
  }
}

void DialledStream::Write(const grpc::ByteBuffer& message, bool more,
                          Completion* done) {
  stream_->Write(message, HowToWrite(more), done);
}

void AcceptedStream::Write(const grpc::ByteBuffer& message, bool more,
                           Completion* done) {
  stream_.Write(message, HowToWrite(more), done);
}

}  // namespace troupe::internal
