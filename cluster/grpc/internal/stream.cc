#include "troupe/cluster/grpc/internal/stream.h"

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
  stream_->StartCall(static_cast<Completion*>(this));
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
