// A stream of gRPC, from either end: one lane of a connection.
//
// One Read() and one of the other operations may be under way at a time; each
// calls its completion when it is done. Cancel() may be called at any time
// after Open().
#ifndef TROUPE_CLUSTER_GRPC_INTERNAL_STREAM_H_
#define TROUPE_CLUSTER_GRPC_INTERNAL_STREAM_H_

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "grpcpp/client_context.h"
#include "grpcpp/completion_queue.h"
#include "grpcpp/generic/async_generic_service.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/status.h"
#include "troupe/cluster/grpc/internal/credentials.h"
#include "troupe/cluster/grpc/internal/poller.h"

namespace troupe::internal {

class Stream {
 public:
  virtual ~Stream() = default;

  // Done when both ends have the stream; the first operation. Where it fails,
  // Finish() is the only other one.
  virtual void Open(Completion* done) = 0;
  virtual void Read(grpc::ByteBuffer* message, Completion* done) = 0;
  // `more`: another message follows, so that this one need not go at once.
  virtual void Write(const grpc::ByteBuffer& message, bool more,
                     Completion* done) = 0;
  // Lets the other end's Read() fail when it has read all. False: this end can
  // only Finish(), and nothing was begun.
  virtual bool EndWrites(Completion* done) = 0;
  // The last operation. At the end that was called it ends the stream with
  // `status`; at the one that called it is done when the stream has ended.
  virtual void Finish(const grpc::Status& status, Completion* done) = 0;
  virtual void Cancel() = 0;
  // See Connection. REQUIRES: Open() is done, or the end was called.
  virtual std::optional<std::vector<std::string>> proven_names() const = 0;
  // What the other end, or gRPC, ended it with. REQUIRES: Finish() is done.
  virtual const grpc::Status& status() const = 0;
};

class DialledStream final : public Stream, private Completion {
 public:
  // The metadata of `context` is what the other end knows the stream by.
  DialledStream(grpc::GenericStub& stub, const std::string& method,
                std::unique_ptr<grpc::ClientContext> context,
                grpc::CompletionQueue* queue)
      : context_(std::move(context)),
        stream_(stub.PrepareCall(context_.get(), method, queue)) {}

  void Open(Completion* done) override;
  void Read(grpc::ByteBuffer* message, Completion* done) override {
    stream_->Read(message, done);
  }
  void Write(const grpc::ByteBuffer& message, bool more,
             Completion* done) override;
  bool EndWrites(Completion* done) override {
    stream_->WritesDone(done);
    return true;
  }
  void Finish(const grpc::Status&, Completion* done) override {
    stream_->Finish(&status_, done);
  }
  void Cancel() override { context_->TryCancel(); }
  std::optional<std::vector<std::string>> proven_names() const override {
    return ProvenNames(*context_->auth_context());
  }
  const grpc::Status& status() const override { return status_; }

 private:
  // The call has gone out.
  void OnDone(bool ok) override;

  const std::unique_ptr<grpc::ClientContext> context_;
  const std::unique_ptr<grpc::GenericClientAsyncReaderWriter> stream_;
  Completion* opened_ = nullptr;
  grpc::Status status_;
};

class AcceptedStream final : public Stream {
 public:
  AcceptedStream() : stream_(&context_) {}

  // For AsyncGenericService::RequestCall().
  grpc::GenericServerContext& context() { return context_; }
  grpc::GenericServerAsyncReaderWriter* stream() { return &stream_; }

  void Open(Completion* done) override { stream_.SendInitialMetadata(done); }
  void Read(grpc::ByteBuffer* message, Completion* done) override {
    stream_.Read(message, done);
  }
  void Write(const grpc::ByteBuffer& message, bool more,
             Completion* done) override;
  bool EndWrites(Completion*) override { return false; }
  void Finish(const grpc::Status& status, Completion* done) override {
    stream_.Finish(status, done);
  }
  void Cancel() override { context_.TryCancel(); }
  std::optional<std::vector<std::string>> proven_names() const override {
    return ProvenNames(*context_.auth_context());
  }
  const grpc::Status& status() const override { return grpc::Status::OK; }

 private:
  grpc::GenericServerContext context_;
  grpc::GenericServerAsyncReaderWriter stream_;
};

}  // namespace troupe::internal

#endif  // TROUPE_CLUSTER_GRPC_INTERNAL_STREAM_H_
