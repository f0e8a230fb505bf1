// Messages that are longer than a frame, and what a peer may send (clauses 17
// and 35). Where it matters which lane goes when, the other end is a stranger
// that grants what it likes.
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/events.h"
#include "troupe/actor/task.h"
#include "troupe/cluster/codec/decoder.h"
#include "troupe/cluster/codec/encoder.h"
#include "troupe/cluster/in_process_transport.h"
#include "troupe/cluster/internal/cluster_testing.h"
#include "troupe/cluster/internal/items.h"
#include "troupe/cluster/node.h"
#include "troupe/cluster/ref_codec.h"
#include "troupe/cluster/transport.h"
#include "troupe/stream/output_port.h"
#include "troupe/stream/port_subscription.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using internal::AppendItem;
using internal::HelloItem;
using internal::ItemKind;
using internal::ReadItem;
using internal::TestCluster;
using internal::TestNode;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::IsOkAndHolds;
using testing::StatusIs;

constexpr size_t kLong = size_t{1} << 20;

std::string Text(size_t size, char first) {
  std::string text(size, first);
  for (size_t i = 0; i < size; i += 1000) text[i] = static_cast<char>(i / 1000);
  return text;
}

struct Note {
  static constexpr absl::string_view kWireName = "test.Note";
  int64_t number = 0;
  std::string text;
};
struct Numbers {
  static constexpr absl::string_view kWireName = "test.Numbers";
  using Reply = std::vector<int64_t>;
};
struct Echo {
  static constexpr absl::string_view kWireName = "test.Echo";
  using Reply = std::string;
  std::string text;
};
std::string EchoOf(const std::string& text) { return text + ", I hear"; }
struct ReaderApi : Protocol<Note, Numbers, Echo> {};

class Reader : public Actor<ReaderApi> {
 public:
  void Handle(const Note& m) {
    numbers_.push_back(m.number);
    if (m.text.size() > 10) {
      intact_ = intact_ && m.text == Text(m.text.size(), 'x');
    }
  }
  std::vector<int64_t> Handle(Numbers) {
    return intact_ ? numbers_ : std::vector<int64_t>();
  }
  std::string Handle(const Echo& m) { return EchoOf(m.text); }

 private:
  std::vector<int64_t> numbers_;
  bool intact_ = true;
};

// Sends so many notes of these sizes, in turn, and asks for an echo.
struct Talk {
  using Reply = absl::Status;
  std::vector<size_t> sizes;
};
class Talker : public Actor<Talk> {
 public:
  explicit Talker(ActorRef<ReaderApi> reader) : reader_(reader) {}
  Task<absl::Status> Handle(Talk m) {
    int64_t number = 0;
    for (const size_t size : m.sizes) {
      reader_.Send<Note>(number++, Text(size, 'x'));
    }
    const absl::StatusOr<std::string> echo =
        co_await reader_.Call<Echo>(Text(kLong, 'e'));
    if (!echo.ok()) co_return echo.status();
    co_return *echo == EchoOf(Text(kLong, 'e'))
        ? absl::OkStatus()
        : absl::DataLossError("the echo differs");
  }

 private:
  const ActorRef<ReaderApi> reader_;
};

class BulkTest : public ::testing::Test {
 protected:
  void Join(uint64_t max_message_bytes) {
    for (TestNode* const node : {&a_, &b_}) {
      const std::string name = node == &a_ ? "a" : "b";
      NodeOptions options = cluster_.Options(name, node->system());
      options.max_message_bytes = max_message_bytes;
      node->Join(std::move(options));
    }
    a_.AwaitPeer("b");
    b_.AwaitPeer("a");
    reader_ = b_.system().Spawn<Reader>().value();
    ASSERT_THAT(b_.node().Export("reader", reader_), IsOk());
    far_ = a_.node().ResolveAndWait<ReaderApi>("reader@b").value();
  }

  TestCluster cluster_{{"a", "b"}};
  TestNode a_{ActorSystem::Create({.workers = 2}).value()};
  TestNode b_{ActorSystem::Create({.workers = 2}).value()};
  Reader::Ref reader_;
  ActorRef<ReaderApi> far_;
};

// §17
TEST_F(BulkTest, OrderIsKeptAroundLongMessages) {
  Join(uint64_t{64} << 20);
  std::vector<size_t> sizes;
  std::vector<int64_t> numbers;
  for (int64_t i = 0; i < 200; ++i) {
    sizes.push_back(i % 10 == 3 ? kLong / 2 : i % 10 == 7 ? 60'000 : 5);
    numbers.push_back(i);
  }
  const Talker::Ref one = a_.system().Spawn<Talker>(far_).value();
  EXPECT_THAT(one.Call<Talk>(sizes).Within(absl::Minutes(1)).Wait(), IsOk());
  EXPECT_THAT(reader_.Call<Numbers>().Wait(), IsOkAndHolds(numbers));
}

TEST_F(BulkTest, LongAnswersComeToThreadsToo) {
  Join(uint64_t{64} << 20);
  const std::string text = Text(5 * kLong, 'e');
  auto call = far_.Call<Echo>(text).Within(absl::Minutes(1)).Start();
  auto again = far_.Call<Echo>("short").Within(absl::Minutes(1)).Start();
  EXPECT_THAT(std::move(again).Wait(), IsOkAndHolds(EchoOf("short")));
  EXPECT_THAT(std::move(call).Wait(), IsOkAndHolds(EchoOf(text)));
}

//
TEST_F(BulkTest, WhatIsTooLongIsRefusedWhereItIsSent) {
  Join(kLong);
  const auto refused = far_.Call<Echo>(Text(kLong, 'e')).Wait();
  EXPECT_THAT(
      refused.status(),
      StatusIs(absl::StatusCode::kResourceExhausted,
               HasSubstr("it has 1048582 bytes, and may have 1048576")));
  // The longest one that may be sent has an answer that is too long.
  const auto answer = far_.Call<Echo>(Text(kLong - 6, 'e')).Wait();
  EXPECT_THAT(answer.status(), StatusIs(absl::StatusCode::kResourceExhausted,
                                        HasSubstr("the answer cannot cross")));
  const std::string text = Text(kLong - 100, 'e');
  EXPECT_THAT(far_.Call<Echo>(text).Wait(), IsOkAndHolds(EchoOf(text)));
}

// The other end of a connection, which notes each item that comes.
class Scribe final : public ConnectionHandler, public Acceptor {
 public:
  struct Noted {
    TransportLane lane;
    ItemKind kind;
    std::string fields;
  };

  std::shared_ptr<ConnectionHandler> OnAccept(
      std::unique_ptr<Connection> connection) override {
    absl::MutexLock lock(&mu_);
    connection_ = std::move(connection);
    return self_.lock();
  }
  void OnFrame(TransportLane lane, std::string frame) override {
    absl::MutexLock lock(&mu_);
    Decoder in(frame);
    while (!in.AtEnd()) {
      const auto kind = static_cast<ItemKind>(in.ReadByte());
      items_.push_back({lane, kind, std::string(in.ReadBytes())});
    }
  }
  void OnSent(TransportLane, size_t) override {}
  void OnClosed(const absl::Status& why) override {
    absl::MutexLock lock(&mu_);
    closed_ = true;
    why_ = why;
  }

  static std::shared_ptr<Scribe> Make() {
    auto scribe = std::make_shared<Scribe>();
    scribe->self_ = scribe;
    return scribe;
  }
  // Waits until so many of that kind have come.
  std::vector<Noted> Await(ItemKind kind, size_t count) {
    absl::MutexLock lock(&mu_);
    std::vector<Noted> found;
    const auto so = [&] {
      mu_.AssertReaderHeld();
      found.clear();
      for (const Noted& item : items_) {
        if (item.kind == kind) found.push_back(item);
      }
      return found.size() >= count;
    };
    mu_.Await(absl::Condition(&so));
    return found;
  }
  size_t Count(ItemKind kind) { return Await(kind, 0).size(); }
  absl::Status AwaitEnd() {
    absl::MutexLock lock(&mu_);
    mu_.Await(absl::Condition(&closed_));
    return why_;
  }
  std::unique_ptr<Connection> AwaitConnection() {
    absl::MutexLock lock(&mu_);
    const auto so = [this] {
      mu_.AssertReaderHeld();
      return connection_ != nullptr;
    };
    mu_.Await(absl::Condition(&so));
    return std::move(connection_);
  }

 private:
  std::weak_ptr<Scribe> self_;
  absl::Mutex mu_;
  std::vector<Noted> items_ ABSL_GUARDED_BY(mu_);
  std::unique_ptr<Connection> connection_ ABSL_GUARDED_BY(mu_);
  bool closed_ ABSL_GUARDED_BY(mu_) = false;
  absl::Status why_ ABSL_GUARDED_BY(mu_);
};

// What an actor there says to the actors 8 and 9 of the stranger.
struct Hear {
  static constexpr absl::string_view kWireName = "test.Hear";
  using Reply = absl::Status;
  ActorRef<ReaderApi> eight;
  ActorRef<ReaderApi> nine;
};
struct Act {
  using Reply = absl::Status;
  std::function<void(const Hear&)> what;
};
class Puppet : public Actor<Hear, Act> {
 public:
  absl::Status Handle(Hear m) {
    known_ = m;
    return absl::OkStatus();
  }
  absl::Status Handle(const Act& m) {
    m.what(known_);
    return absl::OkStatus();
  }

 private:
  Hear known_;
};

// One that never would have to cross in parts.
TEST_F(BulkTest, SmallLimitHolds) {
  Join(10'000);
  EXPECT_THAT(far_.Call<Echo>(Text(10'000, 'e')).Wait().status(),
              StatusIs(absl::StatusCode::kResourceExhausted,
                       HasSubstr("may have 10000")));
  const std::string text = Text(9'000, 'e');
  EXPECT_THAT(far_.Call<Echo>(text).Wait(), IsOkAndHolds(EchoOf(text)));
}

class BulkPeerTest : public ::testing::Test {
 protected:
  BulkPeerTest() {
    EXPECT_THAT(a_->node().Export("puppet", ActorRef<Hear>(puppet_)), IsOk());
  }

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
            .data_credit = 1 << 30,
            .receptionist = 1,
            .bulk_credit = 1,
            .max_message_bytes = uint64_t{8} << 20};
  }
  template <typename Item>
  void Say(const Item& item, TransportLane lane = TransportLane::kControl) {
    Encoder frame;
    AppendItem(item, frame);
    connection_->Send(lane, std::string(frame.bytes()));
  }
  // Becomes a peer to whose actors 8 and 9 the puppet has references.
  void Connect(const HelloItem& hello) {
    connection_ = transport_.Dial("a", scribe_).value();
    Say(hello);
    scribe_->Await(ItemKind::kHello, 1);
    a_->AwaitPeer("b");
    Encoder frame;
    AppendItem(internal::TypeItem{0, "test.Hear", ShapeOf<Hear>(),
                                  ShapeOf<absl::Status>()},
               frame);
    AppendItem(internal::CallHead{puppet_.id().value(), 0, 1, 60'000'000'000},
               absl::string_view("\x04\x01\x08\x01\x09", 5), frame);
    connection_->Send(TransportLane::kData, std::string(frame.bytes()));
    scribe_->Await(ItemKind::kReply, 1);
  }
  void Do(std::function<void(const Hear&)> what) {
    EXPECT_THAT(puppet_.Call<Act>(std::move(what)).Wait(), IsOk());
  }
  // The data that has come so far has been handled.
  void GrantData() { Say(internal::CreditItem{1 << 20, 0}); }
  void GrantBulk(uint64_t bytes) { Say(internal::CreditItem{0, bytes}); }
  // Waits until the session has handled what was said in the control lane.
  void AwaitControl() {
    const size_t before = scribe_->Count(ItemKind::kDown);
    Say(internal::MonitorItem{uint64_t{1} << 40, 30, before + 1});
    scribe_->Await(ItemKind::kDown, before + 1);
  }

  TestCluster cluster_{{"a"}};
  std::unique_ptr<TestNode> a_ = cluster_.Start("a");
  const Puppet::Ref puppet_ = a_->system().Spawn<Puppet>().value();
  std::unique_ptr<ActorSystem> other_ =
      ActorSystem::Create({.workers = 1}).value();
  InProcessTransport transport_{cluster_.network(), other_->executor()};
  std::shared_ptr<Scribe> scribe_ = Scribe::Make();
  std::unique_ptr<Connection> connection_;
};

TEST_F(BulkPeerTest, OthersAreNotHeldUp) {
  Connect(Hello());
  Do([](const Hear& known) {
    known.eight.Send<Note>(1, "before");
    known.eight.Send<Note>(2, Text(kLong, 'x'));
    known.eight.Send<Note>(3, "behind");
    known.nine.Send<Note>(4, "other");
  });
  // Nothing of the long one comes before what was sent before it is handled.
  const auto sent = scribe_->Await(ItemKind::kSend, 2);
  EXPECT_THAT(sent[0].fields, HasSubstr("before"));
  EXPECT_THAT(sent[1].fields, HasSubstr("other"));
  scribe_->Await(ItemKind::kMark, 1);
  EXPECT_EQ(scribe_->Count(ItemKind::kFragment), 0);
  GrantData();
  // One frame, as it was granted one byte.
  EXPECT_EQ(scribe_->Await(ItemKind::kFragment, 1)[0].lane,
            TransportLane::kBulk);
  Do([](const Hear& known) { known.nine.Send<Note>(5, "again"); });
  EXPECT_THAT(scribe_->Await(ItemKind::kSend, 3)[2].fields, HasSubstr("again"));
  EXPECT_EQ(scribe_->Count(ItemKind::kFragment), 1);
  // The rest, and behind it what was sent behind it, in the same lane.
  GrantBulk(2 * kLong);
  const auto all = scribe_->Await(ItemKind::kSend, 4);
  EXPECT_EQ(all[3].lane, TransportLane::kBulk);
  EXPECT_THAT(all[3].fields, HasSubstr("behind"));
  // When that has been handled, the data lane is as good.
  GrantBulk(1);
  AwaitControl();
  Do([](const Hear& known) { known.eight.Send<Note>(6, "later"); });
  EXPECT_EQ(scribe_->Await(ItemKind::kSend, 5)[4].lane, TransportLane::kData);
}

TEST_F(BulkPeerTest, CallThatIsGivenUpIsNotSentOn) {
  Connect(Hello());
  ActorRef<ReaderApi> eight;
  Do([&eight](const Hear& known) { eight = known.eight; });
  {
    const auto first = eight.Call<Echo>(Text(kLong, 'e'))
                           .Within(absl::InfiniteDuration())
                           .Start();
    const auto second = eight.Call<Echo>(Text(kLong, 'e'))
                            .Within(absl::InfiniteDuration())
                            .Start();
    scribe_->Await(ItemKind::kMark, 1);
    GrantData();
    scribe_->Await(ItemKind::kFragment, 1);
  }
  // Behind what cancels them.
  Do([](const Hear& known) { known.nine.Send<Note>(1, "behind"); });
  scribe_->Await(ItemKind::kSend, 1);
  GrantBulk(4 * kLong);
  scribe_->Await(ItemKind::kAbandon, 1);
  Do([](const Hear& known) { known.eight.Send<Note>(2, "last"); });
  scribe_->Await(ItemKind::kSend, 2);
  EXPECT_EQ(scribe_->Count(ItemKind::kFragment), 1);
  EXPECT_EQ(scribe_->Count(ItemKind::kCancel), 0);
  EXPECT_EQ(a_->system().dead_letters(), 1) << "nothing of the second was sent";
}

// What is behind it would wait for a credit that nobody owes.
TEST_F(BulkPeerTest, WhatCameToNothingHoldsUpNobody) {
  Connect(Hello());
  ActorRef<ReaderApi> eight;
  Do([&eight](const Hear& known) { eight = known.eight; });
  {
    const auto call = eight.Call<Echo>(Text(kLong, 'e'))
                          .Within(absl::InfiniteDuration())
                          .Start();
    scribe_->Await(ItemKind::kMark, 1);
  }
  // Behind what cancels it, before any part of it could be sent.
  Do([](const Hear& known) { known.nine.Send<Note>(1, "behind"); });
  scribe_->Await(ItemKind::kSend, 1);
  GrantData();
  AwaitControl();
  Do([](const Hear& known) { known.eight.Send<Note>(2, "later"); });
  EXPECT_EQ(scribe_->Await(ItemKind::kSend, 2)[1].lane, TransportLane::kData);
  EXPECT_EQ(scribe_->Count(ItemKind::kFragment), 0);
}

TEST_F(BulkPeerTest, EndOfTheSessionFreesWhatIsInTheMiddle) {
  Connect(Hello());
  absl::Mutex mu;
  int unreachable = 0;
  const Subscription letters =
      a_->system().Subscribe<DeadLetter>([&](const DeadLetter& letter) {
        absl::MutexLock lock(&mu);
        unreachable += letter.reason == DeadLetter::Reason::kUnreachable;
      });
  Do([](const Hear& known) {
    for (int i = 0; i < 5; ++i) known.eight.Send<Note>(i, Text(kLong, 'x'));
  });
  scribe_->Await(ItemKind::kMark, 1);
  GrantData();
  scribe_->Await(ItemKind::kFragment, 1);
  connection_->Close(absl::OkStatus());
  a_->AwaitPeer("b", false);
  absl::MutexLock lock(&mu);
  EXPECT_EQ(unreachable, 4) << "the first one was being sent";
}

TEST_F(BulkPeerTest, WhatBeginsIsWithinWhatThePeerTakes) {
  HelloItem hello = Hello();
  hello.bulk_credit = uint64_t{1} << 30;
  hello.max_message_bytes = 3 * kLong / 2;
  Connect(hello);
  // Both fit alone. The third is longer than both ends allow.
  Do([](const Hear& known) {
    known.eight.Send<Note>(1, Text(kLong, 'x'));
    known.nine.Send<Note>(2, Text(kLong, 'x'));
    known.nine.Send<Note>(3, Text(2 * kLong, 'x'));
  });
  scribe_->Await(ItemKind::kMark, 2);
  GrantData();
  // The second begins when the first is sent.
  uint64_t left = 1;
  std::vector<uint64_t> numbers;
  size_t parts = 0;
  while (numbers.size() < 2 || left != 0) {
    const auto fragments = scribe_->Await(ItemKind::kFragment, ++parts);
    Decoder in(fragments[parts - 1].fields);
    const auto head = ReadItem<internal::FragmentHead>(in);
    if (numbers.empty() || numbers.back() != head.number) {
      EXPECT_TRUE(numbers.empty() || left == 0) << "nothing is mixed here";
      numbers.push_back(head.number);
    }
    left = head.left;
  }
  EXPECT_THAT(numbers, ElementsAre(1, 2));
  while (a_->system().dead_letters() == 0) Do([](const Hear&) {});
}

// What a port publishes crosses in one frame or not at all, behind a long
// message too.
TEST_F(BulkPeerTest, WhatIsPublishedAndTooLongHoldsUpNobody) {
  HelloItem hello = Hello();
  hello.bulk_credit = uint64_t{1} << 30;
  hello.max_message_bytes = 3 * kLong / 2;
  Connect(hello);
  OutputPort<Note> port;
  PortSubscription subscription;
  Do([&](const Hear& known) {
    subscription = port.Subscribe(ActorRef<Note>(known.eight));
    known.eight.Send<Note>(1, Text(kLong, 'x'));
    port.Publish(2, Text(2 * kLong, 'x'));
    known.eight.Send<Note>(3, "behind");
  });
  scribe_->Await(ItemKind::kMark, 1);
  GrantData();
  EXPECT_THAT(scribe_->Await(ItemKind::kSend, 1)[0].fields,
              HasSubstr("behind"));
  EXPECT_EQ(a_->system().dead_letters(), 1);
}

// a part that promises more than may be under way.
TEST_F(BulkPeerTest, GreedyPartsEndTheSession) {
  Connect(Hello());
  Encoder frame;
  AppendItem(internal::FragmentHead{1, uint64_t{1} << 40}, "begin", frame);
  connection_->Send(TransportLane::kBulk, std::string(frame.bytes()));
  EXPECT_THAT(scribe_->AwaitEnd(),
              StatusIs(absl::StatusCode::kResourceExhausted,
                       HasSubstr("bytes may be under way")));
}

TEST_F(BulkPeerTest, PartsComeInTheirLaneOnly) {
  for (const TransportLane lane :
       {TransportLane::kControl, TransportLane::kData}) {
    scribe_ = Scribe::Make();
    Connect(Hello());
    Say(internal::AbandonItem{1}, lane);
    EXPECT_THAT(scribe_->AwaitEnd(), StatusIs(absl::StatusCode::kDataLoss));
    a_->AwaitPeer("b", false);
  }
}

// A whole that has parts in it again.
TEST_F(BulkPeerTest, PartsOfPartsEndTheSession) {
  Connect(Hello());
  Encoder inner;
  AppendItem(internal::FragmentHead{2, 0}, "x", inner);
  Encoder frame;
  AppendItem(internal::FragmentHead{1, 0}, inner.bytes(), frame);
  connection_->Send(TransportLane::kBulk, std::string(frame.bytes()));
  EXPECT_THAT(scribe_->AwaitEnd(), StatusIs(absl::StatusCode::kDataLoss));
}

TEST_F(BulkPeerTest, MessagesInPartsAreHandled) {
  Connect(Hello());
  Encoder item;
  AppendItem(internal::CallHead{puppet_.id().value(), 0, 2, 60'000'000'000},
             absl::string_view("\x04\x01\x08\x01\x09", 5), item);
  Encoder type;
  AppendItem(internal::TypeItem{0, "test.Hear", ShapeOf<Hear>(),
                                ShapeOf<absl::Status>()},
             type);
  connection_->Send(TransportLane::kBulk, std::string(type.bytes()));
  const absl::string_view bytes = item.bytes();
  for (size_t i = 0; i < bytes.size(); ++i) {
    Encoder frame;
    AppendItem(internal::FragmentHead{9, bytes.size() - i - 1},
               bytes.substr(i, 1), frame);
    connection_->Send(TransportLane::kBulk, std::string(frame.bytes()));
  }
  scribe_->Await(ItemKind::kReply, 2);
}

// What comes before a peer's hello needs credit, too, and gets no more:
// so it is known how much that may be.
TEST(CreditTest, WhoSendsMoreThanWasGrantedIsFoundOut) {
  TestCluster cluster({"a", "b"});
  const auto other = ActorSystem::Create({.workers = 1}).value();
  InProcessTransport transport(cluster.network(), other->executor());
  for (const TransportLane lane :
       {TransportLane::kData, TransportLane::kBulk}) {
    const auto scribe = Scribe::Make();
    const auto listener = transport.Listen("b", scribe).value();
    const auto a = cluster.Start("a");
    const std::unique_ptr<Connection> connection = scribe->AwaitConnection();
    const std::string frame(InProcessTransport::kMaxFrameBytes, 'x');
    connection->Send(lane, frame);
    connection->Send(lane, frame);
    EXPECT_THAT(scribe->AwaitEnd(),
                StatusIs(absl::StatusCode::kResourceExhausted,
                         HasSubstr("than it was granted")));
    EXPECT_TRUE(a->history().empty());
  }
}

}  // namespace
}  // namespace troupe
