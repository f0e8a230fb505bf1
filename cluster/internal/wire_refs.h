// How the references in the messages of one session are written and read.
//
// A reference is a number that says whose actor it is, and the actor's id
// there: 0 nobody's, 1 the writer's, 2 the reader's, from 3 on a node that the
// writer has introduced.
//
// Each lane has one that writes and one that reads.
//
// Thread safety: belongs to the session, but for a message that is written or
// read outside of its turns (LongRefs): then to whoever does that.
#ifndef TROUPE_CLUSTER_INTERNAL_WIRE_REFS_H_
#define TROUPE_CLUSTER_INTERNAL_WIRE_REFS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/internal/far_cell.h"
#include "troupe/cluster/codec/decoder.h"
#include "troupe/cluster/codec/encoder.h"
#include "troupe/cluster/internal/items.h"
#include "troupe/cluster/internal/node_core.h"
#include "troupe/cluster/internal/port_exchange.h"
#include "troupe/cluster/ref_codec.h"
#include "troupe/cluster/wire_type.h"

namespace troupe::internal {

class WireRefs final : public RefWriter, public RefReader {
 public:
  WireRefs(NodeCore& node, FarCell& peer, PortExchange& ports)
      : node_(node), peer_(peer), ports_(ports) {}

  // What has to be sent before what is being written.
  Encoder& definitions() { return definitions_; }

  void Write(const AnyActorRef& ref, WireTypeList types, Encoder& out) override;
  AnyActorRef Read(WireTypeList types, Decoder& in) override;
  uint64_t Subscribe(Subscriber subscriber, const WireType& type) override;
  void OnSubscribe(const std::shared_ptr<SubscriptionCore>& core,
                   uint64_t name) override;

  // A message has been written; subscriptions have been taken out of it, so it
  // cannot be written again. Ends them if it does not cross. Returns whether
  // there were any.
  bool EndWrite(bool crosses);

  // The peer introduces a node.
  absl::Status OnNode(const NodeItem& item);

 private:
  enum : uint64_t { kNobodys, kWriters, kReaders, kFirstNode };
  // More than a process can know. Not all of them are known here then: see
  // NodeCore::CellOfThird(). References to others lead nowhere in all of the
  // session, also once there is a session with their node.
  static constexpr size_t kMaxNodes = 1 << 16;

  uint64_t NumberOf(FarCell& third, Encoder& out);
  // As WireTypes::Learn() and Exports::Add(), which take locks, for what is
  // said again and again.
  absl::Status Learn(WireTypeList types);
  absl::Status Export(const AnyActorRef& ref);

  NodeCore& node_;
  FarCell& peer_;
  PortExchange& ports_;
  Encoder definitions_;
  absl::flat_hash_map<const FarCell*, uint64_t> introduced_;
  std::vector<std::shared_ptr<SubscriptionCore>> taken_;
  std::vector<FarCell*> known_;  // Those that the peer has introduced.
  absl::flat_hash_set<const WireType* const*> learned_;
  // Of each place the last actor that was exported. (Not all of them: a
  // reference takes no memory in a session.)
  static constexpr size_t kExported = 64;
  std::array<uint64_t, kExported> exported_ = {};
};

}  // namespace troupe::internal

#endif  // TROUPE_CLUSTER_INTERNAL_WIRE_REFS_H_
