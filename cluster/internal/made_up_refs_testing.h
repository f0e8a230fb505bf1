// References as a peer writes them that makes them up, for tests.
#ifndef TROUPE_CLUSTER_INTERNAL_MADE_UP_REFS_TESTING_H_
#define TROUPE_CLUSTER_INTERNAL_MADE_UP_REFS_TESTING_H_

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "troupe/actor/any_actor_ref.h"
#include "troupe/cluster/codec/encoder.h"
#include "troupe/cluster/ref_codec.h"
#include "troupe/cluster/wire_type.h"
#include "troupe/stream/internal/port_core.h"

namespace troupe::internal {

// How a reference begins: whose actor it is. From 3 on: that of a node which
// the writer has introduced.
inline constexpr uint64_t kNobodys = 0;
inline constexpr uint64_t kWriters = 1;
inline constexpr uint64_t kReaders = 2;

struct MadeUpRef {
  uint64_t whose;
  uint64_t id = 0;
};

// Writes these, one after the other, whatever it is to write.
class MadeUpRefs final : public RefWriter {
 public:
  explicit MadeUpRefs(std::vector<MadeUpRef> refs) : refs_(std::move(refs)) {}
  void Write(const AnyActorRef&, WireTypeList, Encoder& out) override {
    const MadeUpRef& ref = refs_.at(next_++);
    out.WriteVarint(ref.whose);
    if (ref.whose != kNobodys) out.WriteVarint(ref.id);
  }
  uint64_t Subscribe(Subscriber, const WireType&) override { return 0; }

 private:
  const std::vector<MadeUpRef> refs_;
  size_t next_ = 0;
};

}  // namespace troupe::internal

#endif  // TROUPE_CLUSTER_INTERNAL_MADE_UP_REFS_TESTING_H_
