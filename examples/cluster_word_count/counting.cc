#include "troupe/examples/cluster_word_count/counting.h"

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/child_event.h"
#include "troupe/actor/down.h"
#include "troupe/actor/events.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/actor/protocol.h"
#include "troupe/actor/task.h"
#include "troupe/cluster/node_events.h"
#include "troupe/cluster/node_id.h"
#include "troupe/cluster/spawn.h"
#include "troupe/examples/cluster_word_count/text_counter.h"
#include "troupe/examples/word_count/reading.h"

namespace troupe::word_count {
namespace {

// One that so many counters were lost with is not given to yet another one.
constexpr int kMaxTries = 10;

struct Piece {
  int64_t number = 0;
  std::shared_ptr<const std::string> text;
};

struct NodeCame {
  std::string name;
};
struct Ready {
  uint64_t clerk;
};
struct Counted {
  uint64_t clerk;
  std::string where;
  int64_t piece;
  TextCounts counts;
};
struct DeskApi : Protocol<NodeCame, Ready, Counted, Chunk, InputsRead> {};

// Fails with its counter, and so when the connection with its node is lost.
class Clerk : public Actor<Piece> {
 public:
  Clerk(Node& node, std::string where, absl::Duration within,
        ActorRef<DeskApi> desk)
      : node_(node), where_(std::move(where)), within_(within), desk_(desk) {}

  Task<absl::Status> PostStart() {
    // It ends with this actor, wherever that fails.
    const SpawnOnOptions options = {.owner = self()};
    const auto counter = co_await SpawnOn<CountText>(
        node_, absl::StrCat(kCounterFactory, "@", where_), options);
    if (!counter.ok()) co_return counter.status();
    counter_ = *counter;
    Monitor(counter_);
    desk_.Send<Ready>(self().id().value());
    co_return absl::OkStatus();
  }

  Task<absl::Status> Handle(const Piece& piece) {
    absl::StatusOr<TextCounts> counts =
        co_await counter_.Call<CountText>(*piece.text).Within(within_);
    if (!counts.ok()) co_return counts.status();
    desk_.Send<Counted>(self().id().value(), where_, piece.number,
                        *std::move(counts));
    co_return absl::OkStatus();
  }

  absl::Status OnDown(const Down& down) {
    return absl::UnavailableError(
        absl::StrCat("its counter has ended: ", down.reason.ToString()));
  }

 private:
  Node& node_;
  const std::string where_;
  const absl::Duration within_;
  const ActorRef<DeskApi> desk_;
  ActorRef<CountText> counter_;
};

// Hands the pieces out, and gathers what comes of them.
class Desk : public Actor<DeskApi> {
 public:
  Desk(const NodesCountingOptions* options, Node* node,
       std::optional<Outcome>* result)
      : options_(*options), node_(*node), result_(*result) {}

  absl::Status PreStart() {
    // First what comes, then what is there: so none is missed.
    came_ = system().Subscribe<NodeUp>([desk = self()](const NodeUp& event) {
      (void)desk.TrySend(NodeCame{event.node.name});
    });
    for (const NodeId& peer : node_.Peers()) Employ(peer.name);
    auto reader =
        SpawnInstant<Reader>({.dedicated_thread = true}, options_.paths,
                             options_.piece_bytes, self());
    if (!reader.ok()) return reader.status();
    reader_ = *reader;
    return absl::OkStatus();
  }

  void Handle(const NodeCame& m) { Employ(m.name); }

  void Handle(Ready m) {
    const auto clerk = clerks_.find(m.clerk);
    if (clerk == clerks_.end()) return;  // It has failed meanwhile.
    Tell(clerk->second.where, " counts");
    free_.push_back(m.clerk);
    HandOut();
  }

  void Handle(Chunk&& m) {
    --wishes_;
    if (!m.text.empty()) {
      const int64_t number = ++last_piece_;
      open_[number].text = std::make_shared<std::string>(std::move(m.text));
      waiting_.push_back(number);
    }
    HandOut();
  }

  void Handle(InputsRead&& m) {
    all_read_ = true;
    outcome_.inputs = m.inputs;
    outcome_.errors = std::move(m.errors);
    HandOut();
  }

  void Handle(Counted&& m) {
    if (const auto clerk = clerks_.find(m.clerk); clerk != clerks_.end()) {
      clerk->second.piece = 0;
      free_.push_back(m.clerk);
    }
    // Not open: it was given to another clerk, whose answer has come before.
    if (open_.erase(m.piece) != 0) {
      Tell("piece ", m.piece, " <- ", m.where);
      outcome_.counts.AddCounted(m.counts.words, m.counts.text_bytes);
    }
    HandOut();
  }

  void OnChild(const ChildEvent& event) {
    if (event.kind == ChildEvent::Kind::kStarted) return;
    if (result_.has_value()) return;  // It is over.
    const absl::Status why =
        event.reason.status().ok()
            ? absl::AbortedError(
                  absl::StrCat("it was ended: ", event.reason.ToString()))
            : event.reason.status();
    const auto found = clerks_.extract(event.child.id().value());
    if (found.empty()) return Fail(why);  // The reader.
    const auto& [where, ref, piece] = found.mapped();
    if (piece == 0) {
      Tell(where, " is lost: ", why.message());
    } else {
      Tell(where, " is lost with piece ", piece, ": ", why.message());
      GiveAgain(piece);
    }
    // A node that may not, or cannot, start a counter is not asked again.
    if (piece != 0 || absl::IsUnavailable(why)) {
      EmployIfUp(where);
    }
    HandOut();
  }

 private:
  struct Open {
    std::shared_ptr<const std::string> text;
    int tries = 0;
  };
  struct Employed {
    std::string where;
    ActorRef<Piece> ref;
    int64_t piece = 0;  // 0: it has none.
  };

  template <typename... Args>
  void Tell(const Args&... args) {
    options_.on_event(absl::StrCat(args...));
  }

  // One clerk for each node.
  void Employ(const std::string& where) {
    for (const auto& [id, clerk] : clerks_) {
      if (clerk.where == where) return;
    }
    const auto clerk = SpawnInstant<Clerk>(std::ref(node_), where,
                                           options_.piece_within, self());
    if (!clerk.ok()) return;  // This actor is ending.
    clerks_[clerk->id().value()] = {.where = where, .ref = *clerk};
  }

  // The end of a clerk may be heard after its node has come again.
  void EmployIfUp(const std::string& where) {
    for (const NodeId& peer : node_.Peers()) {
      if (peer.name == where) Employ(where);
    }
  }

  void GiveAgain(int64_t piece) {
    // Not open: its answer was under way when the clerk ended.
    const auto open = open_.find(piece);
    if (open == open_.end()) return;
    if (++open->second.tries == kMaxTries) {
      return Fail(absl::ResourceExhaustedError(
          absl::StrCat(kMaxTries, " counters were lost with piece ", piece)));
    }
    waiting_.push_front(piece);
  }

  void HandOut() {
    while (!free_.empty() && !waiting_.empty()) {
      const auto clerk = clerks_.find(free_.front());
      const auto piece = open_.find(waiting_.front());
      // One may have failed, and the other been counted, since.
      if (clerk == clerks_.end()) {
        free_.pop_front();
      } else if (piece == open_.end()) {
        waiting_.pop_front();
      } else {
        free_.pop_front();
        waiting_.pop_front();
        clerk->second.piece = piece->first;
        Tell("piece ", piece->first, " -> ", clerk->second.where);
        clerk->second.ref.Send<Piece>(piece->first, piece->second.text);
      }
    }
    for (; !all_read_ && wishes_ + waiting_.size() < clerks_.size();
         ++wishes_) {
      reader_.Send<Refill>(self(), std::string());
    }
    if (all_read_ && wishes_ == 0 && open_.empty()) {
      result_ = std::move(outcome_);
      StopSelf();
    }
  }

  const NodesCountingOptions& options_;
  Node& node_;
  std::optional<Outcome>& result_;
  Subscription came_;
  ActorRef<Refill> reader_;
  size_t wishes_ = 0;  // That the reader has not answered.
  bool all_read_ = false;
  int64_t last_piece_ = 0;
  absl::flat_hash_map<int64_t, Open> open_;  // Pieces that are not counted.
  std::deque<int64_t> waiting_;              // Those that no clerk has.
  absl::flat_hash_map<uint64_t, Employed> clerks_;  // By the ids of actors.
  // Those that have no piece, the longest without one first.
  std::deque<uint64_t> free_;
  Outcome outcome_;
};

}  // namespace

absl::Status OfferCounting(Node& node) {
  return ExportFactory<TextCounter()>(node, kCounterFactory);
}

absl::StatusOr<AnyActorRef> StartCountOnNodes(
    const NodesCountingOptions& options, ActorSystem& system, Node& node,
    std::optional<Outcome>& outcome) {
  return system.Spawn<Desk>(&options, &node, &outcome);
}

absl::StatusOr<Outcome> CountOnNodes(const NodesCountingOptions& options,
                                     ActorSystem& system, Node& node) {
  std::optional<Outcome> outcome;
  const auto desk = StartCountOnNodes(options, system, node, outcome);
  if (!desk.ok()) return desk.status();
  const absl::StatusOr<ExitReason> reason = desk->Wait();
  if (!reason.ok()) return reason.status();
  if (outcome.has_value()) return *std::move(outcome);
  if (!reason->status().ok()) return reason->status();
  return absl::AbortedError("the count ended early: " + reason->ToString());
}

}  // namespace troupe::word_count
