#include "troupe/mailbox/envelope.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "gtest/gtest.h"

namespace troupe {
namespace {

// A message of that size and alignment whose bytes are all written and read.
template <size_t kBytes, size_t kAlignment>
struct alignas(kAlignment) Blob {
  explicit Blob(char fill) { bytes.fill(fill); }
  std::array<char, kBytes> bytes;
};

template <typename B>
void ExpectHoldsItsPayload() {
  SCOPED_TRACE(kMessageType<B>.name);
  // Two at a time: neither writes over the other, nor over a header.
  const EnvelopePtr a(MakeEnvelope<B>('a'));
  const EnvelopePtr b(MakeEnvelope<B>('b'));
  for (const EnvelopePtr* envelope : {&a, &b}) {
    Envelope& e = **envelope;
    EXPECT_EQ(reinterpret_cast<uintptr_t>(&e) % EnvelopePool::kMaxAlignment,
              0u);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(e.payload()) % alignof(B), 0u);
    EXPECT_EQ(e.payload(), &e.As<B>());
    EXPECT_GE(static_cast<char*>(e.payload()),
              reinterpret_cast<char*>(&e) + sizeof(Envelope));
    EXPECT_LE(reinterpret_cast<char*>(&e.As<B>() + 1),
              reinterpret_cast<char*>(&e) + e.size_bytes());
    EXPECT_EQ(e.type, &kMessageType<B>);
    EXPECT_EQ(e.lane, Lane::kNormal);
    EXPECT_EQ(e.target, 0u);
  }
  EXPECT_EQ(a->As<B>().bytes.front(), 'a');
  EXPECT_EQ(a->As<B>().bytes.back(), 'a');
  EXPECT_EQ(b->As<B>().bytes.front(), 'b');
  EXPECT_EQ(b->As<B>().bytes.back(), 'b');
}

TEST(EnvelopeTest, PayloadIsAlignedUpToACacheLine) {
  ExpectHoldsItsPayload<Blob<1, 1>>();
  ExpectHoldsItsPayload<Blob<2, 2>>();
  ExpectHoldsItsPayload<Blob<4, 4>>();
  ExpectHoldsItsPayload<Blob<8, 8>>();
  ExpectHoldsItsPayload<Blob<16, 16>>();
  ExpectHoldsItsPayload<Blob<32, 32>>();
  ExpectHoldsItsPayload<Blob<64, 64>>();
}

TEST(EnvelopeTest, PayloadOfAnySizeIsHeldWhole) {
  ExpectHoldsItsPayload<Blob<40, 8>>();
  ExpectHoldsItsPayload<Blob<48, 8>>();
  ExpectHoldsItsPayload<Blob<1000, 8>>();
  ExpectHoldsItsPayload<Blob<4072, 8>>();
  ExpectHoldsItsPayload<Blob<4032, 64>>();
}

TEST(EnvelopeTest, PayloadBeyondThePoolsClassesIsHeldWhole) {
  ExpectHoldsItsPayload<Blob<4080, 8>>();
  ExpectHoldsItsPayload<Blob<4096, 64>>();
  ExpectHoldsItsPayload<Blob<(1 << 20) + 1, 1>>();
}

template <size_t kBytes, size_t kAlignment>
size_t SizeOfEnvelopeWith() {
  return EnvelopePtr(MakeEnvelope<Blob<kBytes, kAlignment>>('x'))->size_bytes();
}

TEST(EnvelopeTest, FortyBytesShareACacheLineWithTheHeader) {
  EXPECT_EQ((SizeOfEnvelopeWith<40, 8>()), 64u);
  EXPECT_EQ((SizeOfEnvelopeWith<41, 1>()), 128u);
  EXPECT_EQ((SizeOfEnvelopeWith<32, 16>()), 64u);
  EXPECT_EQ((SizeOfEnvelopeWith<48, 16>()), 128u);
}

TEST(EnvelopeTest, SizeOfAnOversizeEnvelopeIsHeaderAndPayload) {
  EXPECT_EQ((SizeOfEnvelopeWith<4072, 8>()), 4096u);  // The last of the pool's.
  EXPECT_EQ((SizeOfEnvelopeWith<4080, 8>()), 24u + 4080u);
  EXPECT_EQ((SizeOfEnvelopeWith<8192, 64>()), 64u + 8192u);
}

// Counts the objects of its type that live.
class Counted {
 public:
  explicit Counted(int* live) : live_(live) { ++*live_; }
  Counted(const Counted& other) : live_(other.live_) { ++*live_; }
  ~Counted() { --*live_; }

 private:
  int* live_;
};

TEST(EnvelopeTest, DestroyingAnEnvelopeDestroysThePayloadOnce) {
  int live = 0;
  Envelope* const envelope = MakeEnvelope<Counted>(&live);
  EXPECT_EQ(live, 1);
  DestroyEnvelope(envelope);
  EXPECT_EQ(live, 0);
}

TEST(EnvelopeTest, FreeingAnEnvelopeLeavesThePayloadToTheCaller) {
  int live = 0;
  Envelope* const envelope = MakeEnvelope<Counted>(&live);
  envelope->As<Counted>().~Counted();
  EXPECT_EQ(live, 0);
  FreeEnvelope(envelope);
  EXPECT_EQ(live, 0);
}

TEST(EnvelopeTest, EnvelopePtrDestroysUnlessReleased) {
  int live = 0;
  EnvelopePtr kept(MakeEnvelope<Counted>(&live));
  { const EnvelopePtr dropped(MakeEnvelope<Counted>(&live)); }
  EXPECT_EQ(live, 1);
  Envelope* const released = kept.release();
  EXPECT_EQ(live, 1);
  DestroyEnvelope(released);
  EXPECT_EQ(live, 0);
}

TEST(EnvelopeTest, MoveOnlyPayloadTravels) {
  auto number = std::make_unique<int>(7);
  int* const address = number.get();
  EnvelopePtr envelope(MakeEnvelope<std::unique_ptr<int>>(std::move(number)));
  std::unique_ptr<int> arrived =
      std::move(envelope->As<std::unique_ptr<int>>());
  EXPECT_EQ(arrived.get(), address);
}

TEST(EnvelopeTest, AggregateIsBuiltFromItsMembers) {
  struct Transfer {
    std::string to;
    int64_t cents;
  };
  const EnvelopePtr envelope(MakeEnvelope<Transfer>("alice", 100));
  EXPECT_EQ(envelope->As<Transfer>().to, "alice");
  EXPECT_EQ(envelope->As<Transfer>().cents, 100);
}

TEST(EnvelopeTest, PayloadThatCannotMoveIsBuiltInPlace) {
  struct Pinned {
    explicit Pinned(Pinned** where) { *where = this; }
    Pinned(Pinned&&) = delete;
  };
  Pinned* built = nullptr;
  const EnvelopePtr envelope(MakeEnvelope<Pinned>(&built));
  EXPECT_EQ(built, &envelope->As<Pinned>());
}

TEST(EnvelopeTest, MessageIsFoundByItsExactType) {
  struct Base {
    int value;
  };
  struct Derived : Base {};
  const EnvelopePtr envelope(MakeEnvelope<Base>(7));
  EXPECT_EQ(envelope->TryAs<Base>(), envelope->payload());
  EXPECT_EQ(envelope->TryAs<Base>()->value, 7);
  EXPECT_EQ(envelope->TryAs<Derived>(), nullptr);
  EXPECT_EQ(envelope->TryAs<int>(), nullptr);
}

template <size_t kBytes>
struct Refusing {
  // Its member lives when the constructor throws.
  explicit Refusing(Counted counted) : member(counted) {
    throw std::invalid_argument("refused");
  }
  Counted member;
  char bytes[kBytes];
};

template <size_t kBytes>
void ExpectThrowsAndLeaksNothing() {
  using Message = Refusing<kBytes>;
  int live = 0;
  try {
    DestroyEnvelope(MakeEnvelope<Message>(Counted(&live)));
    FAIL() << "the constructor's exception did not arrive";
  } catch (const std::invalid_argument& e) {
    EXPECT_STREQ(e.what(), "refused");
  }
  EXPECT_EQ(live, 0);
}

TEST(EnvelopeTest, ExceptionOfAConstructorReachesTheSender) {
  ExpectThrowsAndLeaksNothing<1>();
  ExpectThrowsAndLeaksNothing<2000>();
  ExpectThrowsAndLeaksNothing<10000>();  // Oversize: leaks are LSan's to find.
}

TEST(EnvelopeTest, MemoryOfAFailedConstructionIsTheNextToBeUsed) {
  Envelope* const before = MakeEnvelope<Blob<40, 8>>('x');
  DestroyEnvelope(before);
  ExpectThrowsAndLeaksNothing<1>();
  const EnvelopePtr after(MakeEnvelope<Blob<40, 8>>('x'));
  EXPECT_EQ(after.get(), before);
}

}  // namespace
}  // namespace troupe
