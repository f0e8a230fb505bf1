// The other end of a connection with a node, for tests: it greets as the node
// "b" would, and then says what no node says.
#ifndef TROUPE_CLUSTER_INTERNAL_STRANGER_TESTING_H_
#define TROUPE_CLUSTER_INTERNAL_STRANGER_TESTING_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "troupe/actor/actor_system.h"
#include "troupe/cluster/codec/decoder.h"
#include "troupe/cluster/codec/encoder.h"
#include "troupe/cluster/in_process_transport.h"
#include "troupe/cluster/internal/cluster_testing.h"
#include "troupe/cluster/internal/items.h"
#include "troupe/cluster/transport.h"

namespace troupe::internal {

class Stranger {
 public:
  explicit Stranger(TestCluster& cluster)
      : transport_(cluster.network(), system_->executor()),
        ears_(std::make_shared<Ears>()) {}
  ~Stranger() { Leave(); }

  // Is a peer of `node`, which is called so.
  void BecomePeerOf(TestNode& node, const std::string& name,
                    uint64_t data_credit = 1 << 20) {
    connection_ = transport_.Dial(name, ears_).value();
    Say(HelloItem{.cluster = "",
                  .name = "b",
                  .incarnation = 5,
                  .min_protocol = 1,
                  .max_protocol = 1,
                  .features = 0,
                  .session = 77,
                  .after = 0,
                  .max_frame_bytes = 1 << 20,
                  .data_credit = data_credit,
                  .receptionist = 1},
        TransportLane::kControl);
    node.AwaitPeer("b");
  }
  template <typename Item>
  void Say(const Item& item, TransportLane lane = TransportLane::kData) {
    Encoder frame;
    AppendItem(item, frame);
    connection_->Send(lane, std::string(frame.bytes()));
  }
  template <typename Head>
  void Say(const Head& head, absl::string_view payload) {
    Encoder frame;
    AppendItem(head, payload, frame);
    connection_->Send(TransportLane::kData, std::string(frame.bytes()));
  }
  void SayRaw(std::string bytes) {
    connection_->Send(TransportLane::kData, std::move(bytes));
  }
  void Leave() {
    if (connection_ != nullptr) connection_->Close(absl::OkStatus());
  }

  // Why the node has ended it.
  absl::Status AwaitEnd() {
    absl::MutexLock lock(&ears_->mu);
    ears_->mu.Await(absl::Condition(&ears_->closed));
    return ears_->why;
  }
  // Waits until `so` of all items in the data lane.
  void AwaitData(absl::FunctionRef<bool(absl::string_view)> so) {
    absl::MutexLock lock(&ears_->mu);
    const auto said = [&] {
      ears_->mu.AssertReaderHeld();
      return so(ears_->data) || ears_->closed;
    };
    ears_->mu.Await(absl::Condition(&said));
  }
  // Waits for an item of that type in the data lane.
  template <typename Item>
  Item Await() {
    Item item;
    AwaitData([&](absl::string_view data) { return Find(data, item); });
    return item;
  }

 private:
  struct Ears final : ConnectionHandler {
    void OnFrame(TransportLane lane, std::string frame) override {
      absl::MutexLock lock(&mu);
      if (lane == TransportLane::kData) data += frame;
    }
    void OnSent(TransportLane, size_t) override {}
    void OnClosed(const absl::Status& status) override {
      absl::MutexLock lock(&mu);
      closed = true;
      why = status;
    }

    absl::Mutex mu;
    std::string data ABSL_GUARDED_BY(mu);
    bool closed ABSL_GUARDED_BY(mu) = false;
    absl::Status why ABSL_GUARDED_BY(mu);
  };

  // The first of that type; false: there is none.
  template <typename Item>
  static bool Find(absl::string_view data, Item& item) {
    Decoder in(data);
    while (!in.AtEnd()) {
      if (static_cast<ItemKind>(in.ReadByte()) == Item::kKind) {
        item = ReadItem<Item>(in);
        return in.ok();
      }
      (void)in.ReadBytes();
    }
    return false;
  }

  std::unique_ptr<ActorSystem> system_ =
      ActorSystem::Create({.workers = 1}).value();
  InProcessTransport transport_;
  std::shared_ptr<Ears> ears_;
  std::unique_ptr<Connection> connection_;
};

}  // namespace troupe::internal

#endif  // TROUPE_CLUSTER_INTERNAL_STRANGER_TESTING_H_
