// What frames consist of. An item is a byte that says what it is, its length,
// and its fields; who does not know one passes over it.
//
// An item is in one frame, but for those of messages: whatever it tells of is
// bounded, texts by BriefStatus. Only what introduces a type may be longer than
// short frames; then messages of that type do not cross.
//
// Ids are those that actors have on their own nodes. `to` is whom an item is
// for, `from` one of the sender's.
#ifndef TROUPE_CLUSTER_INTERNAL_ITEMS_H_
#define TROUPE_CLUSTER_INTERNAL_ITEMS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/cluster/codec/codec.h"
#include "troupe/cluster/codec/decoder.h"
#include "troupe/cluster/codec/encoder.h"
#include "troupe/cluster/internal/brief_texts.h"

namespace troupe {

// As its kind, the status and the detail, both abridged.
template <>
struct Codec<ExitReason> {
  static void Encode(const ExitReason& reason, Encoder& out);
  static void Decode(Decoder& in, ExitReason& reason);
  static void Describe(ShapeBuilder& shape) { shape.Add("\"exit reason\""); }
};

namespace internal {

enum class ItemKind : uint8_t {
  // Before a session, in the control lane.
  kHello = 1,
  kRefusal = 2,
  kChallenge = 3,
  kProof = 4,

  // Control.
  kHeartbeat = 16,
  kCredit = 17,
  kGoodbye = 18,
  kEnd = 19,
  kMonitor = 20,
  kDemonitor = 21,
  kLink = 22,
  kUnlink = 23,
  kAwaitEnd = 24,
  kAwaitEndNoMore = 25,

  // Data, in order.
  kType = 48,
  kNode = 49,
  kSend = 50,
  kCall = 51,
  kCancel = 52,
  kReply = 53,
  kFailure = 54,
  kDown = 55,
  kExit = 56,
  kEnded = 57,
  kMark = 58,

  // Bulk, with those of data among them.
  kFragment = 64,
  kAbandon = 65,

  // Of groups, in order with data.
  kGroupsWanted = 80,
  kGroupSaid = 81,
  kGroupLeft = 82,
  kGroupSend = 83,

  // Of subscriptions to ports, in order with data.
  kPortOpen = 96,
  kPublished = 97,
  kPortTaken = 98,
  kPortEnd = 99,
  kPortLeft = 100,
  kPublishedAgain = 101,

  // Refusals.
  kRefused = 112,
};

// What an item of a message needs beside the message, at most: the names of a
// group have 510 bytes.
inline constexpr size_t kMaxHeadBytes = 576;
// What a frame has room for at least, at either end: an item with the longest
// texts that it may have.
inline constexpr size_t kMinFrameBytes = size_t{16} << 10;

// Where a secret is to be proven, before the hellos: see introduction.h. Who
// accepts says neither name.
struct ChallengeItem {
  static constexpr ItemKind kKind = ItemKind::kChallenge;
  std::string name = {};
  uint64_t incarnation = 0;
  std::string to = {};  // Who was dialled.
  std::string nonce = {};
};
struct ProofItem {
  static constexpr ItemKind kKind = ItemKind::kProof;
  std::vector<std::string> proofs;  // Of each secret that is valid.
};
// What both ends begin with. Who accepts a connection answers with its own, or
// with a refusal.
struct HelloItem {
  static constexpr ItemKind kKind = ItemKind::kHello;
  std::string cluster;  // Nodes of different clusters do not talk.
  std::string name;
  uint64_t incarnation = 0;
  uint32_t min_protocol = 0;
  uint32_t max_protocol = 0;
  uint64_t features = 0;  // Bits; both ends use what both have.
  uint64_t session = 0;   // The one that dials gives the session a number.
  // Of the session with the other end, of the same incarnation, that the one
  // who dials knows to be over; 0: there was none.
  uint64_t after = 0;
  uint64_t max_frame_bytes = 0;
  uint64_t data_credit = 0;
  uint64_t receptionist = 0;  // The actor that others ask for all else.
  uint64_t bulk_credit = 0;
  // What may be under way in parts. 0: nothing, so that no message may be
  // longer than a frame.
  uint64_t max_message_bytes = 0;
  uint64_t control_credit = uint64_t{1} << 20;
};
struct RefusalItem {
  static constexpr ItemKind kKind = ItemKind::kRefusal;
  BriefStatus why;
};

struct HeartbeatItem {
  static constexpr ItemKind kKind = ItemKind::kHeartbeat;
};
// The sender has handled so many bytes of data, of bulk and of control, and
// takes as many more.
struct CreditItem {
  static constexpr ItemKind kKind = ItemKind::kCredit;
  uint64_t bytes = 0;
  uint64_t bulk_bytes = 0;
  uint64_t control_bytes = 0;
};
// Nothing more comes.
struct GoodbyeItem {
  static constexpr ItemKind kKind = ItemKind::kGoodbye;
  BriefStatus why;
};
struct EndItem {
  static constexpr ItemKind kKind = ItemKind::kEnd;
  uint64_t to = 0;
  uint8_t request = 0;  // An Ending.
  ExitReason reason;
};
// `from` is to hear of the end of `to`; the serial comes back with that.
struct MonitorItem {
  static constexpr ItemKind kKind = ItemKind::kMonitor;
  uint64_t to = 0;
  uint64_t from = 0;
  uint64_t serial = 0;
};
struct DemonitorItem {
  static constexpr ItemKind kKind = ItemKind::kDemonitor;
  uint64_t to = 0;
  uint64_t from = 0;
  uint64_t serial = 0;
};
struct LinkItem {
  static constexpr ItemKind kKind = ItemKind::kLink;
  uint64_t to = 0;
  uint64_t from = 0;
  uint64_t serial = 0;
};
struct UnlinkItem {
  static constexpr ItemKind kKind = ItemKind::kUnlink;
  uint64_t to = 0;
  uint64_t from = 0;
  uint64_t known_serial = 0;
};
struct AwaitEndItem {
  static constexpr ItemKind kKind = ItemKind::kAwaitEnd;
  uint64_t to = 0;
  uint64_t number = 0;
  uint8_t next = 0;  // An Ending that is asked for next.
};
struct AwaitEndNoMoreItem {
  static constexpr ItemKind kKind = ItemKind::kAwaitEndNoMore;
  uint64_t number = 0;
};

// From now on, `number` is a type of message that the sender sends.
struct TypeItem {
  static constexpr ItemKind kKind = ItemKind::kType;
  uint64_t number = 0;
  std::string name;
  std::string shape;
  std::string reply_shape;
};
// From now on, `number` is a node to whose actors the sender refers.
struct NodeItem {
  static constexpr ItemKind kKind = ItemKind::kNode;
  uint64_t number = 0;
  std::string name;
  uint64_t incarnation = 0;
};
// These two end with the message.
struct SendHead {
  static constexpr ItemKind kKind = ItemKind::kSend;
  uint64_t to = 0;
  uint64_t type = 0;
  bool urgent = false;
};
struct CallHead {
  static constexpr ItemKind kKind = ItemKind::kCall;
  uint64_t to = 0;
  uint64_t type = 0;
  uint64_t number = 0;
  // How long the caller waits from now.
  int64_t left_ns = 0;
  uint64_t from = 0;  // The actor that calls; 0: it is none.
};
struct CancelItem {
  static constexpr ItemKind kKind = ItemKind::kCancel;
  uint64_t number = 0;
};
// Ends with the outcome.
struct ReplyHead {
  static constexpr ItemKind kKind = ItemKind::kReply;
  uint64_t number = 0;
};
// What stands for a reply that cannot be written.
struct FailureItem {
  static constexpr ItemKind kKind = ItemKind::kFailure;
  uint64_t number = 0;
  BriefStatus status;
};
struct DownItem {
  static constexpr ItemKind kKind = ItemKind::kDown;
  uint64_t to = 0;
  uint64_t serial = 0;
  ExitReason reason;
};
struct ExitItem {
  static constexpr ItemKind kKind = ItemKind::kExit;
  uint64_t to = 0;
  uint64_t from = 0;
  ExitReason reason;
  // Not 0: nobody has ended, the LinkItem with this serial is refused.
  uint64_t refused = 0;
};
struct EndedItem {
  static constexpr ItemKind kKind = ItemKind::kEnded;
  uint64_t number = 0;
  ExitReason reason;
  BriefStatus refused = {};  // Not OK: nothing has ended.
};

// An EndItem for `to` was refused; for people.
struct RefusedItem {
  static constexpr ItemKind kKind = ItemKind::kRefused;
  uint64_t to = 0;
  BriefStatus why;
};

// The sender waits until it has credit for the frame that this is in: then all
// data up to here has been handled.
struct MarkItem {
  static constexpr ItemKind kKind = ItemKind::kMark;
};
// So many items may be under way in parts at a time, however short: each needs
// more where it comes than the bytes of which it consists.
inline constexpr size_t kMaxUnderWayInParts = 4096;

// A part of an item that is too long for a frame; ends with that part.
struct FragmentHead {
  static constexpr ItemKind kKind = ItemKind::kFragment;
  uint64_t number = 0;
  uint64_t left = 0;  // Bytes behind this part.
};
// No more parts of that number come.
struct AbandonItem {
  static constexpr ItemKind kKind = ItemKind::kAbandon;
  uint64_t number = 0;
};

template <typename Item>
void AppendItem(const Item& item, Encoder& frame) {
  frame.WriteByte(static_cast<uint8_t>(Item::kKind));
  Codec<Item>::Encode(item, frame);
}
// An item that ends with what is written already.
template <typename Head>
void AppendItem(const Head& head, absl::string_view rest, Encoder& frame) {
  frame.WriteByte(static_cast<uint8_t>(Head::kKind));
  frame.WriteSized([&](Encoder& fields) {
    Codec<Head>::Encode(head, fields);
    fields.WriteRaw(rest.data(), rest.size());
  });
}
// The beginning of an item that ends with so many bytes, which follow.
template <typename Head>
void AppendHead(const Head& head, size_t rest_bytes, Encoder& frame) {
  Encoder fields;
  Codec<Head>::Encode(head, fields);
  frame.WriteByte(static_cast<uint8_t>(Head::kKind));
  frame.WriteVarint(fields.size() + rest_bytes);
  frame.WriteRaw(fields.bytes().data(), fields.size());
}

// REQUIRES: `in` is at an item of that type, behind the byte of its kind.
template <typename Item>
Item ReadItem(Decoder& in) {
  Item item;
  Codec<Item>::Decode(in, item);
  return item;
}

}  // namespace internal
}  // namespace troupe

#endif  // TROUPE_CLUSTER_INTERNAL_ITEMS_H_
