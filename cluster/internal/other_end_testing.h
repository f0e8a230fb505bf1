// The other end of a connection with a node, for tests: it says what the test
// has it say, and keeps what it hears.
#ifndef TROUPE_CLUSTER_INTERNAL_OTHER_END_TESTING_H_
#define TROUPE_CLUSTER_INTERNAL_OTHER_END_TESTING_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "troupe/cluster/codec/decoder.h"
#include "troupe/cluster/codec/encoder.h"
#include "troupe/cluster/internal/items.h"
#include "troupe/cluster/transport.h"

namespace troupe::internal {

class OtherEnd final : public ConnectionHandler {
 public:
  void OnFrame(TransportLane lane, std::string frame) override {
    absl::MutexLock lock(&mu_);
    (lane == TransportLane::kControl ? control_ : data_) += frame;
  }
  void OnSent(TransportLane, size_t) override {}
  void OnClosed(const absl::Status& why) override {
    absl::MutexLock lock(&mu_);
    closed_ = true;
    why_ = why;
  }

  // These wait, on a plain thread.

  // The first item that the node has said.
  ItemKind AwaitAnswer() {
    absl::MutexLock lock(&mu_);
    const auto said = [this] {
      mu_.AssertReaderHeld();
      return !control_.empty() || closed_;
    };
    mu_.Await(absl::Condition(&said));
    return control_.empty() ? ItemKind{0} : static_cast<ItemKind>(control_[0]);
  }
  void AwaitData() {
    AwaitData([](absl::string_view data) { return !data.empty(); });
  }
  // Until `so` of all that has come in the data lane, or the end.
  void AwaitData(absl::FunctionRef<bool(absl::string_view)> so) {
    absl::MutexLock lock(&mu_);
    const auto said = [&] {
      mu_.AssertReaderHeld();
      return so(data_) || closed_;
    };
    mu_.Await(absl::Condition(&said));
  }
  // Until so many items of that kind have come in a lane, or the end.
  void AwaitItems(ItemKind kind, size_t count,
                  TransportLane lane = TransportLane::kData) {
    absl::MutexLock lock(&mu_);
    const auto said = [&] {
      mu_.AssertHeld();
      size_t found = 0;
      ForEach(lane, [&](ItemKind of, Decoder&) { found += of == kind; });
      return found >= count || closed_;
    };
    mu_.Await(absl::Condition(&said));
  }
  // Why the node has ended it.
  absl::Status AwaitEnd() {
    absl::MutexLock lock(&mu_);
    mu_.Await(absl::Condition(&closed_));
    return why_;
  }

  // These say what has been heard so far.

  bool closed() const {
    absl::MutexLock lock(&mu_);
    return closed_;
  }
  absl::Status why() const {
    absl::MutexLock lock(&mu_);
    return why_;
  }
  std::vector<ItemKind> Kinds(TransportLane lane) const {
    absl::MutexLock lock(&mu_);
    std::vector<ItemKind> kinds;
    ForEach(lane, [&](ItemKind kind, Decoder&) { kinds.push_back(kind); });
    return kinds;
  }
  // The items of one type.
  template <typename Item>
  std::vector<Item> All(TransportLane lane = TransportLane::kData) const {
    absl::MutexLock lock(&mu_);
    std::vector<Item> items;
    ForEach(lane, [&](ItemKind kind, Decoder& in) {
      if (kind == Item::kKind) Codec<Item>::Decode(in, items.emplace_back());
    });
    return items;
  }
  // The same of those that end with a message.
  template <typename Head>
  std::vector<Head> AllHeads() const {
    absl::MutexLock lock(&mu_);
    std::vector<Head> heads;
    ForEach(TransportLane::kData, [&](ItemKind kind, Decoder& in) {
      if (kind != Head::kKind) return;
      in.ReadSized([&](Decoder& fields) {
        Codec<Head>::Decode(fields, heads.emplace_back());
      });
    });
    return heads;
  }
  size_t Count(ItemKind kind, TransportLane lane) const {
    const std::vector<ItemKind> kinds = Kinds(lane);
    return static_cast<size_t>(std::count(kinds.begin(), kinds.end(), kind));
  }

  // What the node "b" says of itself.
  static HelloItem Hello() {
    return {.cluster = "",
            .name = "b",
            .incarnation = 5,
            .min_protocol = 1,
            .max_protocol = 1,
            .features = 0,
            .session = 77,
            .after = 0,
            .max_frame_bytes = 1 << 20,
            .data_credit = 1 << 20,
            .receptionist = 1};
  }

 private:
  // Calls `what` with the kind of each item, and a decoder from where it lies
  // behind that.
  template <typename F>
  void ForEach(TransportLane lane, F&& what) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    const std::string& bytes =
        lane == TransportLane::kControl ? control_ : data_;
    Decoder in(bytes);
    while (!in.AtEnd()) {
      const auto kind = static_cast<ItemKind>(in.ReadByte());
      Decoder item(absl::string_view(bytes).substr(bytes.size() - in.left()));
      what(kind, item);
      (void)in.ReadBytes();
    }
  }

  mutable absl::Mutex mu_;
  std::string control_ ABSL_GUARDED_BY(mu_);
  std::string data_ ABSL_GUARDED_BY(mu_);
  bool closed_ ABSL_GUARDED_BY(mu_) = false;
  absl::Status why_ ABSL_GUARDED_BY(mu_);
};

// A frame with one item.
template <typename Item>
std::string FrameOf(const Item& item) {
  Encoder frame;
  AppendItem(item, frame);
  return std::string(frame.bytes());
}

// The other end of one connection.
struct Line {
  std::shared_ptr<OtherEnd> heard = std::make_shared<OtherEnd>();
  std::unique_ptr<Connection> connection;

  template <typename Item>
  void Say(const Item& item, TransportLane lane = TransportLane::kControl) {
    connection->Send(lane, FrameOf(item));
  }
};

// Listens where "b" would.
class House final : public Acceptor {
 public:
  std::shared_ptr<ConnectionHandler> OnAccept(
      std::unique_ptr<Connection> connection) override {
    lines_.push_back(std::make_unique<Line>());
    lines_.back()->connection = std::move(connection);
    return lines_.back()->heard;
  }
  size_t size() const { return lines_.size(); }
  Line& line(size_t i) { return *lines_[i]; }

 private:
  std::vector<std::unique_ptr<Line>> lines_;
};

}  // namespace troupe::internal

#endif  // TROUPE_CLUSTER_INTERNAL_OTHER_END_TESTING_H_
