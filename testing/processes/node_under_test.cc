// A node in a process of its own, which tests start, ask, freeze and kill. It
// takes commands from its standard input, a line each, and says in lines what
// happens; at the end of the input it leaves.
//
//   watch NAME           monitors the inbox of that node:
//                        "watching NAME INCARNATION"; at last, once,
//                        "gone NAME INCARNATION REASON"
//   aim NAME             "aimed NAME INCARNATION", or "aimed NAME failed": at
//                        whom these send:
//   flood NAME N BYTES   N messages, each when there is room for it
//   burst NAME N BYTES   the same, without waiting for room
//                        both: "sent NAME INCARNATION ACCEPTED", of all so far
//   riddle NAME          one that cannot be decoded: "sent riddle"
//   load NAME            sends, in turns with calls, until `rest`, to whichever
//                        incarnation is there: "loading NAME", when the first
//                        ones of each session have been handled
//   rest                 "rested"
//   account NAME         what that node's inbox knows of this sender, and how
//                        many messages for it were accepted here:
//                        "account NAME INCARNATION HANDLED GAPS MISSED
//                        DISORDER ASTRAY ACCEPTED", or "account NAME failed
//                        WHY"
//   letters              "letters UNREACHABLE UNDECODABLE OTHERS": dead ones
//
// By itself it says "ready ADDRESS", "up NAME INCARNATION", and
// "down NAME INCARNATION WHY".
#include <algorithm>
#include <cstdint>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/down.h"
#include "troupe/actor/events.h"
#include "troupe/actor/send_result.h"
#include "troupe/cluster/codec/codec.h"
#include "troupe/cluster/grpc/grpc_transport.h"
#include "troupe/cluster/grpc/tls.h"
#include "troupe/cluster/membership.h"
#include "troupe/cluster/node.h"
#include "troupe/cluster/node_events.h"
#include "troupe/cluster/static_membership.h"

ABSL_FLAG(std::string, name, "", "Which of the members this is.");
ABSL_FLAG(std::vector<std::string>, members, {}, "Each as name=address.");
ABSL_FLAG(std::string, tls, "",
          "A folder with authorities.pem, and NAME.pem and NAME.key.");
ABSL_FLAG(absl::Duration, heartbeat, absl::Seconds(2), "See NodeOptions.");
ABSL_FLAG(absl::Duration, silence, absl::Seconds(8), "See NodeOptions.");

namespace troupe {

// What can be written, and not read.
struct Riddle {};
template <>
struct Codec<Riddle> {
  static void Encode(const Riddle&, Encoder& out) { out.WriteByte(7); }
  static void Decode(Decoder& in, Riddle&) {
    (void)in.ReadByte();
    in.Fail("nobody can read this");
  }
  static void Describe(ShapeBuilder& shape) { shape.Add("\"Riddle\""); }
};

namespace {

// Whole lines, by whichever thread.
void Print(absl::string_view line) {
  static absl::Mutex* const mu = new absl::Mutex;
  absl::MutexLock lock(mu);
  std::cout << line << std::endl;
}

// -- what crosses -------------------------------------------------------------

// The messages of a sender to an incarnation have numbers: 1, 2, ...
struct Parcel {
  static constexpr absl::string_view kWireName = "test.Parcel";
  uint64_t from = 0;  // Incarnations of both nodes.
  uint64_t to = 0;
  uint64_t number = 0;
  std::string padding;
};
struct AskRiddle {
  static constexpr absl::string_view kWireName = "test.AskRiddle";
  Riddle riddle;
};
struct Receipts {
  uint64_t incarnation = 0;  // Of who has them.
  uint64_t handled = 0;
  // Messages that did not come, and how often some did not.
  uint64_t gaps = 0;
  uint64_t missed = 0;
  // Those that came twice or too late, and those for another incarnation.
  uint64_t disorder = 0;
  uint64_t astray = 0;
};
struct AskReceipts {
  static constexpr absl::string_view kWireName = "test.AskReceipts";
  using Reply = Receipts;
  uint64_t from = 0;
};

class Inbox final : public Actor<Parcel, AskRiddle, AskReceipts> {
 public:
  explicit Inbox(uint64_t incarnation) : incarnation_(incarnation) {}

  void Handle(const Parcel& m) {
    Receipts& of_sender = receipts_[m.from];
    uint64_t& last = last_[m.from];
    if (m.to != incarnation_) ++astray_;
    if (m.number <= last) {
      ++of_sender.disorder;
      return;
    }
    if (m.number > last + 1) {
      ++of_sender.gaps;
      of_sender.missed += m.number - last - 1;
    }
    last = m.number;
    ++of_sender.handled;
  }
  void Handle(AskRiddle) {}
  Receipts Handle(AskReceipts m) {
    Receipts receipts = receipts_[m.from];
    receipts.incarnation = incarnation_;
    receipts.astray = astray_;
    return receipts;
  }

 private:
  const uint64_t incarnation_;
  std::map<uint64_t, Receipts> receipts_;
  std::map<uint64_t, uint64_t> last_;
  uint64_t astray_ = 0;
};
using InboxRef = ActorRef<Parcel, AskRiddle, AskReceipts>;

class Watcher final : public Actor<> {
 public:
  Watcher(std::string name, uint64_t incarnation, InboxRef inbox)
      : name_(std::move(name)), incarnation_(incarnation), inbox_(inbox) {}

  void PostStart() {
    Monitor(inbox_);
    Print(absl::StrCat("watching ", name_, " ", incarnation_));
  }
  void OnDown(const Down& down) {
    Print(absl::StrCat("gone ", name_, " ", incarnation_, " ",
                       down.reason.ToString()));
  }

 private:
  const std::string name_;
  const uint64_t incarnation_;
  const InboxRef inbox_;
};

// -- what is done -------------------------------------------------------------

class NodeUnderTest {
 public:
  explicit NodeUnderTest(std::unique_ptr<ActorSystem> system)
      : system_(std::move(system)),
        up_(system_->Subscribe<NodeUp>([this](const NodeUp& event) {
          Print(absl::StrCat("up ", event.node.name, " ",
                             event.node.incarnation));
          absl::MutexLock lock(&mu_);
          ++ups_;
        })),
        down_(system_->Subscribe<NodeDown>([](const NodeDown& event) {
          Print(absl::StrCat("down ", event.node.name, " ",
                             event.node.incarnation, " ",
                             event.why.ToString()));
        })),
        letters_(system_->Subscribe<DeadLetter>([this](const DeadLetter& d) {
          absl::MutexLock lock(&mu_);
          ++dead_[d.reason];
        })) {}
  ~NodeUnderTest() { Rest(); }

  absl::Status Join(const std::string& name, const std::vector<Member>& members,
                    const std::optional<TlsFiles>& tls);
  void Do(const std::string& command);

 private:
  // Where messages go, and how many have been accepted.
  struct Target {
    InboxRef inbox;
    uint64_t incarnation = 0;
    uint64_t sent = 0;
  };

  absl::StatusOr<InboxRef> Find(const std::string& name) {
    return node_->ResolveAndWait<Parcel, AskRiddle, AskReceipts>("inbox@" +
                                                                 name);
  }
  absl::StatusOr<Receipts> Ask(const InboxRef& inbox) {
    return inbox.Call<AskReceipts>(node_->id().incarnation).Wait();
  }
  // The incarnation of that node that is there now.
  absl::StatusOr<Target*> TargetAt(const std::string& name) {
    const absl::StatusOr<InboxRef> inbox = Find(name);
    if (!inbox.ok()) return inbox.status();
    const absl::StatusOr<Receipts> receipts = Ask(*inbox);
    if (!receipts.ok()) return receipts.status();
    Target& target = targets_[receipts->incarnation];
    target.inbox = *inbox;
    target.incarnation = receipts->incarnation;
    return &target;
  }
  Parcel Next(const Target& target, size_t padding_bytes) const {
    return {.from = node_->id().incarnation,
            .to = target.incarnation,
            .number = target.sent + 1,
            .padding = std::string(padding_bytes, 'p')};
  }
  void Aim(const std::string& name);
  void Send(const std::string& name, uint64_t count, size_t bytes, bool waits);
  void Load(const std::string& name);
  void Rest();
  void Account(const std::string& name);
  void Letters();

  const std::unique_ptr<ActorSystem> system_;
  std::unique_ptr<Node> node_;
  // Of whoever sends: commands, or the loader.
  std::map<uint64_t, Target> targets_;
  std::map<std::string, Target*> aims_;
  std::thread loader_;

  absl::Mutex mu_;
  uint64_t ups_ ABSL_GUARDED_BY(mu_) = 0;
  bool rests_ ABSL_GUARDED_BY(mu_) = false;
  std::map<DeadLetter::Reason, uint64_t> dead_ ABSL_GUARDED_BY(mu_);

  const Subscription up_;
  const Subscription down_;
  const Subscription letters_;
};

absl::Status NodeUnderTest::Join(const std::string& name,
                                 const std::vector<Member>& members,
                                 const std::optional<TlsFiles>& tls) {
  std::string address;
  for (const Member& member : members) {
    if (member.name == name) address = member.address;
  }
  const absl::Duration silence = absl::GetFlag(FLAGS_silence);
  // Silence comes first, if that may be.
  auto transport = GrpcTransport::Create(
      {.taken_within = std::clamp(
           2 * silence, GrpcTransportOptions().taken_within, absl::Hours(1)),
       .tls = tls});
  if (!transport.ok()) return transport.status();
  auto membership = StaticMembership::Create(system_->executor(), members);
  if (!membership.ok()) return membership.status();
  auto node =
      Node::Start(*system_, {.name = name,
                             .cluster = "test",
                             .listen = address,
                             .transport = *std::move(transport),
                             .membership = *std::move(membership),
                             .heartbeat = absl::GetFlag(FLAGS_heartbeat),
                             .silence = silence});
  if (!node.ok()) return node.status();
  node_ = *std::move(node);
  const auto inbox = system_->Spawn<Inbox>(node_->id().incarnation);
  if (!inbox.ok()) return inbox.status();
  const absl::Status exported = node_->Export("inbox", *inbox);
  if (exported.ok()) Print(absl::StrCat("ready ", node_->address()));
  return exported;
}

void NodeUnderTest::Aim(const std::string& name) {
  const absl::StatusOr<Target*> target = TargetAt(name);
  if (!target.ok()) return Print(absl::StrCat("aimed ", name, " failed"));
  aims_[name] = *target;
  Print(absl::StrCat("aimed ", name, " ", (*target)->incarnation));
}

void NodeUnderTest::Send(const std::string& name, uint64_t count, size_t bytes,
                         bool waits) {
  Target& to = *aims_.at(name);
  for (uint64_t i = 0; i < count; ++i) {
    Parcel parcel = Next(to, bytes);
    const bool accepted = waits
                              ? to.inbox.SendWhenReady<Parcel>(parcel)
                                    .Within(absl::Minutes(5))
                                    .Wait()
                                    .ok()
                              : !IsRefused(to.inbox.TrySend(std::move(parcel)));
    if (accepted) ++to.sent;
  }
  Print(absl::StrCat("sent ", name, " ", to.incarnation, " ", to.sent));
}

// Each round ends with a call, which comes behind its messages; when it fails,
// so has the session, and the next one is waited for.
void NodeUnderTest::Load(const std::string& name) {
  constexpr int kRound = 5000;
  constexpr size_t kBytes = 100;
  for (;;) {
    uint64_t ups_before = 0;
    {
      absl::MutexLock lock(&mu_);
      if (rests_) return;
      ups_before = ups_;
    }
    absl::StatusOr<Target*> target = TargetAt(name);
    for (bool told = false; target.ok();) {
      Target& to = **target;
      for (int i = 0; i < kRound; ++i) {
        if (!IsRefused(to.inbox.TrySend(Next(to, kBytes)))) ++to.sent;
      }
      if (!Ask(to.inbox).ok()) break;
      if (!std::exchange(told, true)) Print(absl::StrCat("loading ", name));
      absl::MutexLock lock(&mu_);
      if (rests_) return;
    }
    absl::MutexLock lock(&mu_);
    const auto again = [&] {
      mu_.AssertReaderHeld();
      return rests_ || ups_ != ups_before;
    };
    mu_.AwaitWithTimeout(absl::Condition(&again), absl::Milliseconds(100));
  }
}

void NodeUnderTest::Rest() {
  if (!loader_.joinable()) return;
  {
    absl::MutexLock lock(&mu_);
    rests_ = true;
  }
  loader_.join();
  absl::MutexLock lock(&mu_);
  rests_ = false;
}

void NodeUnderTest::Account(const std::string& name) {
  const absl::StatusOr<InboxRef> inbox = Find(name);
  const absl::StatusOr<Receipts> receipts =
      inbox.ok() ? Ask(*inbox) : inbox.status();
  if (!receipts.ok()) {
    return Print(absl::StrCat("account ", name, " failed ",
                              receipts.status().ToString()));
  }
  Print(absl::StrCat(
      "account ", name, " ", receipts->incarnation, " ", receipts->handled, " ",
      receipts->gaps, " ", receipts->missed, " ", receipts->disorder, " ",
      receipts->astray, " ", targets_[receipts->incarnation].sent));
}

void NodeUnderTest::Letters() {
  absl::MutexLock lock(&mu_);
  uint64_t others = 0;
  for (const auto& [reason, count] : dead_) others += count;
  const uint64_t unreachable = dead_[DeadLetter::Reason::kUnreachable];
  const uint64_t undecodable = dead_[DeadLetter::Reason::kUndecodable];
  Print(absl::StrCat("letters ", unreachable, " ", undecodable, " ",
                     others - unreachable - undecodable));
}

void NodeUnderTest::Do(const std::string& command) {
  std::istringstream words(command);
  std::string verb;
  std::string name;
  uint64_t count = 0;
  size_t bytes = 0;
  words >> verb >> name >> count >> bytes;
  if (verb == "aim") {
    Aim(name);
  } else if (verb == "flood" || verb == "burst") {
    Send(name, count, bytes, /*waits=*/verb == "flood");
  } else if (verb == "load") {
    loader_ = std::thread([this, name] { Load(name); });
  } else if (verb == "rest") {
    Rest();
    Print("rested");
  } else if (verb == "account") {
    Account(name);
  } else if (verb == "letters") {
    Letters();
  } else if (verb == "watch") {
    const absl::StatusOr<InboxRef> inbox = Find(name);
    const absl::StatusOr<Receipts> receipts =
        inbox.ok() ? Ask(*inbox) : inbox.status();
    if (!receipts.ok() ||
        !system_->Spawn<Watcher>(name, receipts->incarnation, *inbox).ok()) {
      Print(absl::StrCat("watching ", name, " failed"));
    }
  } else if (verb == "riddle") {
    aims_.at(name)->inbox.Send<AskRiddle>();
    Print("sent riddle");
  } else {
    Print(absl::StrCat("what is ", command));
  }
}

int Run() {
  const std::string name = absl::GetFlag(FLAGS_name);
  const std::string folder = absl::GetFlag(FLAGS_tls);
  std::optional<TlsFiles> tls;
  if (!folder.empty()) {
    tls = TlsFiles{.authorities = folder + "/authorities.pem",
                   .certificate = absl::StrCat(folder, "/", name, ".pem"),
                   .key = absl::StrCat(folder, "/", name, ".key"),
                   .reload_every = absl::Seconds(1)};
  }
  std::vector<Member> members;
  for (const std::string& text : absl::GetFlag(FLAGS_members)) {
    const std::pair<std::string, std::string> parts =
        absl::StrSplit(text, absl::MaxSplits('=', 1));
    members.push_back({.name = parts.first, .address = parts.second});
  }
  auto system = ActorSystem::Create({.workers = 2});
  if (!system.ok()) {
    std::cerr << system.status() << std::endl;
    return 1;
  }
  NodeUnderTest node(*std::move(system));
  const absl::Status joined = node.Join(name, members, tls);
  if (!joined.ok()) {
    std::cerr << joined << std::endl;
    return 1;
  }
  for (std::string line; std::getline(std::cin, line);) node.Do(line);
  return 0;
}

}  // namespace
}  // namespace troupe

int main(int argc, char** argv) {
  absl::ParseCommandLine(argc, argv);
  return troupe::Run();
}
