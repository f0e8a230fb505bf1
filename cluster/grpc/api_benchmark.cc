// Which of gRPC's two interfaces for streams costs less, as a transport uses
// them: completion queues, with a thread of ours for each end, or callbacks, in
// threads of gRPC's. The servers are processes of their own, over loopback.
//
// A client writes a burst of messages, one write at a time, and waits for one
// message that answers it: a burst of one is a call, a long one is one way.
#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "benchmark/benchmark.h"
#include "grpcpp/client_context.h"
#include "grpcpp/completion_queue.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/generic/async_generic_service.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/client_callback.h"
#include "grpcpp/support/server_callback.h"
#include "grpcpp/support/slice.h"
#include "grpcpp/support/status.h"
#include "troupe/base/check.h"
#include "troupe/cluster/grpc/internal/poller.h"
#include "troupe/cluster/grpc/internal/stream.h"
#include "troupe/scheduler/thread_factory.h"

namespace troupe::internal {
namespace {

// The name of the method says how many messages are answered by one.
constexpr char kService[] = "/benchmark/";
std::string MethodOf(int messages) { return absl::StrCat(kService, messages); }
int MessagesOf(const std::string& method) {
  int messages = 0;
  TROUPE_CHECK(absl::SimpleAtoi(absl::StripPrefix(method, kService), &messages),
               "a method is a number");
  return messages;
}

grpc::ByteBuffer MessageOf(size_t bytes) {
  const grpc::Slice slice(std::string(bytes, 'x'));
  return grpc::ByteBuffer(&slice, 1);
}

// The bursts of a client: what is written next, and when all is done. Whoever
// is told to write begins a write.
class Bursts {
 public:
  explicit Bursts(int messages) : messages_(messages) {}

  // Begins with a write.
  void Begin(int64_t bursts, absl::Notification* done)
      ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    bursts_left_ = bursts;
    done_ = done;
    left_ = messages_;
  }
  // Whether another message is to be written.
  bool OnWritten() ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    return --left_ > 0 || GoOn();
  }
  bool OnAnswer() ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    answered_ = true;
    return left_ == 0 && GoOn();
  }

 private:
  // An answer may be heard of before the write that it answers.
  bool GoOn() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    if (!std::exchange(answered_, false)) return false;
    if (--bursts_left_ == 0) {
      done_->Notify();
      return false;
    }
    left_ = messages_;
    return true;
  }

  const int messages_;
  absl::Mutex mu_;
  int64_t bursts_left_ ABSL_GUARDED_BY(mu_) = 0;
  int left_ ABSL_GUARDED_BY(mu_) = 0;
  bool answered_ ABSL_GUARDED_BY(mu_) = false;
  absl::Notification* done_ ABSL_GUARDED_BY(mu_) = nullptr;
};

std::shared_ptr<grpc::Channel> ChannelTo(int port) {
  return grpc::CreateChannel(absl::StrCat("127.0.0.1:", port),
                             grpc::InsecureChannelCredentials());
}

// -- completion queues --------------------------------------------------------

// Serves until its process ends.
class QueueServer {
 public:
  QueueServer() {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(),
                             &port_);
    builder.RegisterAsyncGenericService(&service_);
    std::unique_ptr<grpc::ServerCompletionQueue> queue =
        builder.AddCompletionQueue();
    queue_ = queue.get();
    server_ = builder.BuildAndStart();
    poller_ =
        Poller::Start(RealThreadFactory(), "server", std::move(queue)).value();
    (new Call(*this))->Await();
  }

  int port() const { return port_; }

 private:
  class Call {
   public:
    explicit Call(QueueServer& server) : server_(server) {}
    void Await() {
      server_.service_.RequestCall(&stream_.context(), stream_.stream(),
                                   server_.queue_, server_.queue_,
                                   static_cast<Completion*>(&on_called_));
    }

   private:
    void OnCalled(bool) {
      (new Call(server_))->Await();
      messages_ = MessagesOf(stream_.context().method());
      stream_.Open(&on_opened_);
    }
    void OnOpened(bool) { stream_.Read(&message_, &on_read_); }
    void OnRead(bool ok) {
      if (!ok) return stream_.Finish(grpc::Status::OK, &on_finished_);
      if (++came_ % messages_ == 0) {
        stream_.Write(message_, /*more=*/false, &on_written_);
      } else {
        stream_.Read(&message_, &on_read_);
      }
    }
    void OnWritten(bool) { stream_.Read(&message_, &on_read_); }
    void OnFinished(bool) { delete this; }

    QueueServer& server_;
    int messages_ = 1;
    int64_t came_ = 0;
    AcceptedStream stream_;
    grpc::ByteBuffer message_;
    CompletionOf<Call, &Call::OnCalled> on_called_{this};
    CompletionOf<Call, &Call::OnOpened> on_opened_{this};
    CompletionOf<Call, &Call::OnRead> on_read_{this};
    CompletionOf<Call, &Call::OnWritten> on_written_{this};
    CompletionOf<Call, &Call::OnFinished> on_finished_{this};
  };

  int port_ = 0;
  grpc::AsyncGenericService service_;
  grpc::ServerCompletionQueue* queue_ = nullptr;  // The poller's.
  std::unique_ptr<Poller> poller_;
  std::unique_ptr<grpc::Server> server_;
};

class QueueClient {
 public:
  QueueClient(int port, int messages, size_t bytes)
      : bursts_(messages),
        message_(MessageOf(bytes)),
        stub_(ChannelTo(port)),
        poller_(Poller::Start(RealThreadFactory(), "client",
                              std::make_unique<grpc::CompletionQueue>())
                    .value()),
        stream_(stub_, MethodOf(messages),
                std::make_unique<grpc::ClientContext>(), poller_->queue()) {
    stream_.Open(&on_opened_);
    opened_.WaitForNotification();
  }
  ~QueueClient() {
    stream_.EndWrites(&on_ended_);
    ended_.WaitForNotification();
    poller_->Shutdown();
    poller_->Join();
  }

  void Run(int64_t bursts) {
    absl::Notification done;
    bursts_.Begin(bursts, &done);
    Write();
    done.WaitForNotification();
  }

 private:
  void Write() { stream_.Write(message_, /*more=*/false, &on_written_); }
  void OnOpened(bool ok) {
    TROUPE_CHECK(ok, "the server answers");
    stream_.Read(&answer_, &on_read_);
    opened_.Notify();
  }
  void OnRead(bool ok) {
    if (!ok) return stream_.Finish(grpc::Status::OK, &on_finished_);
    stream_.Read(&answer_, &on_read_);
    if (bursts_.OnAnswer()) Write();
  }
  void OnWritten(bool) {
    if (bursts_.OnWritten()) Write();
  }
  void OnEnded(bool) {}
  void OnFinished(bool) { ended_.Notify(); }

  Bursts bursts_;
  const grpc::ByteBuffer message_;
  grpc::ByteBuffer answer_;
  absl::Notification opened_;
  absl::Notification ended_;
  CompletionOf<QueueClient, &QueueClient::OnOpened> on_opened_{this};
  CompletionOf<QueueClient, &QueueClient::OnRead> on_read_{this};
  CompletionOf<QueueClient, &QueueClient::OnWritten> on_written_{this};
  CompletionOf<QueueClient, &QueueClient::OnEnded> on_ended_{this};
  CompletionOf<QueueClient, &QueueClient::OnFinished> on_finished_{this};
  grpc::GenericStub stub_;
  const std::unique_ptr<Poller> poller_;
  DialledStream stream_;
};

// -- callbacks ----------------------------------------------------------------

// Serves until its process ends.
class CallbackServer {
 public:
  CallbackServer() {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(),
                             &port_);
    builder.RegisterCallbackGenericService(&service_);
    server_ = builder.BuildAndStart();
  }

  int port() const { return port_; }

 private:
  class Reactor final : public grpc::ServerGenericBidiReactor {
   public:
    explicit Reactor(int messages) : messages_(messages) {
      StartRead(&message_);
    }
    void OnReadDone(bool ok) override {
      if (!ok) return Finish(grpc::Status::OK);
      if (++came_ % messages_ == 0) {
        StartWrite(&message_);
      } else {
        StartRead(&message_);
      }
    }
    void OnWriteDone(bool) override { StartRead(&message_); }
    void OnDone() override { delete this; }

   private:
    const int messages_;
    int64_t came_ = 0;
    grpc::ByteBuffer message_;
  };
  class Service final : public grpc::CallbackGenericService {
   public:
    grpc::ServerGenericBidiReactor* CreateReactor(
        grpc::GenericCallbackServerContext* context) override {
      return new Reactor(MessagesOf(context->method()));
    }
  };

  int port_ = 0;
  Service service_;
  std::unique_ptr<grpc::Server> server_;
};

class CallbackClient final
    : private grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  CallbackClient(int port, int messages, size_t bytes)
      : bursts_(messages), message_(MessageOf(bytes)), stub_(ChannelTo(port)) {
    stub_.PrepareBidiStreamingCall(&context_, MethodOf(messages), {}, this);
    AddHold();  // Writes begin in the thread that runs, too.
    StartRead(&answer_);
    StartCall();
  }
  ~CallbackClient() {
    StartWritesDone();
    RemoveHold();
    ended_.WaitForNotification();
  }

  void Run(int64_t bursts) {
    absl::Notification done;
    bursts_.Begin(bursts, &done);
    StartWrite(&message_);
    done.WaitForNotification();
  }

 private:
  void OnReadDone(bool ok) override {
    if (!ok) return;
    StartRead(&answer_);
    if (bursts_.OnAnswer()) StartWrite(&message_);
  }
  void OnWriteDone(bool) override {
    if (bursts_.OnWritten()) StartWrite(&message_);
  }
  void OnDone(const grpc::Status&) override { ended_.Notify(); }

  Bursts bursts_;
  const grpc::ByteBuffer message_;
  grpc::ByteBuffer answer_;
  absl::Notification ended_;
  grpc::GenericStub stub_;
  grpc::ClientContext context_;
};

// -- measured -----------------------------------------------------------------

// Begins a process that serves, before this one has threads, and returns its
// port. It ends with this one.
template <typename Server>
int ServeInChild() {
  std::array<int, 2> told;
  std::array<int, 2> life;
  TROUPE_CHECK(::pipe2(told.data(), O_CLOEXEC) == 0 &&
                   ::pipe2(life.data(), O_CLOEXEC) == 0,
               "pipes can be made");
  const pid_t child = ::fork();
  TROUPE_CHECK(child >= 0, "a process can be started");
  int port = 0;
  if (child == 0) {
    ::close(life[1]);
    const Server server;
    port = server.port();
    TROUPE_CHECK(::write(told[1], &port, sizeof(port)) == sizeof(port),
                 "the port is told");
    char none = 0;
    (void)!::read(life[0], &none, 1);
    ::_exit(0);
  }
  TROUPE_CHECK(::read(told[0], &port, sizeof(port)) == sizeof(port),
               "the port is told");
  return port;
}
// Those that main() has begun.
int queue_port = 0;
int callback_port = 0;

struct CompletionQueues {
  using Client = QueueClient;
  static int port() { return queue_port; }
};
struct Callbacks {
  using Client = CallbackClient;
  static int port() { return callback_port; }
};

template <typename Api>
void BM_Bursts(benchmark::State& state) {
  constexpr int64_t kBursts = 50;
  const auto messages = static_cast<int>(state.range(0));
  const auto bytes = static_cast<size_t>(state.range(1));
  typename Api::Client client(Api::port(), messages, bytes);
  client.Run(1);  // Connects.
  for (auto _ : state) client.Run(kBursts);
  state.SetItemsProcessed(state.iterations() * kBursts * messages);
}
void Sizes(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"burst", "bytes"})
      ->Args({1, 100})
      ->Args({64, 100})
      ->Args({64, 64 << 10})
      ->MeasureProcessCPUTime()
      ->UseRealTime();
}
BENCHMARK_TEMPLATE(BM_Bursts, CompletionQueues)->Apply(&Sizes);
BENCHMARK_TEMPLATE(BM_Bursts, Callbacks)->Apply(&Sizes);

}  // namespace

void BeginServers() {
  queue_port = ServeInChild<QueueServer>();
  callback_port = ServeInChild<CallbackServer>();
}

}  // namespace troupe::internal

// As benchmark_main, and without what Debian's Abseil does for each lock to
// find deadlocks.
int main(int argc, char** argv) {
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  troupe::internal::BeginServers();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
