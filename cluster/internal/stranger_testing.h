// The other end of a connection with a node, for tests: it greets as the node
// "b" would, and then says what no node says.
#ifndef TROUPE_CLUSTER_INTERNAL_STRANGER_TESTING_H_
#define TROUPE_CLUSTER_INTERNAL_STRANGER_TESTING_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "troupe/actor/actor_system.h"
#include "troupe/cluster/codec/decoder.h"
#include "troupe/cluster/codec/encoder.h"
#include "troupe/cluster/in_process_transport.h"
#include "troupe/cluster/internal/cluster_testing.h"
#include "troupe/cluster/internal/items.h"
#include "troupe/cluster/internal/other_end_testing.h"
#include "troupe/cluster/transport.h"

namespace troupe::internal {

class Stranger {
 public:
  explicit Stranger(TestCluster& cluster)
      : transport_(cluster.network(), system_->executor()),
        ears_(std::make_shared<OtherEnd>()) {}
  ~Stranger() { Leave(); }

  // Is a peer of `node`, which is called so.
  void BecomePeerOf(TestNode& node, const std::string& name,
                    uint64_t data_credit = 1 << 20) {
    connection_ = transport_.Dial(name, ears_).value();
    HelloItem hello = OtherEnd::Hello();
    hello.data_credit = data_credit;
    Say(hello, TransportLane::kControl);
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
  absl::Status AwaitEnd() { return ears_->AwaitEnd(); }
  // Waits until `so` of all items in the data lane.
  void AwaitData(absl::FunctionRef<bool(absl::string_view)> so) {
    ears_->AwaitData(so);
  }
  // Waits for an item of that type in the data lane.
  template <typename Item>
  Item Await() {
    Item item;
    AwaitData([&](absl::string_view data) { return Find(data, item); });
    return item;
  }

 private:
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
  std::shared_ptr<OtherEnd> ears_;
  std::unique_ptr<Connection> connection_;
};

}  // namespace troupe::internal

#endif  // TROUPE_CLUSTER_INTERNAL_STRANGER_TESTING_H_
