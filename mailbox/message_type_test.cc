#include "troupe/mailbox/message_type.h"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace bank {

struct Deposit {
  int64_t cents;
};

template <char kSeparator>
struct Row {};

struct Outer {
  enum class Inner { kOne };
};

}  // namespace bank

namespace troupe {
namespace {

TEST(MessageTypeTest, NamesATypeAsTheCompilerSpellsIt) {
  EXPECT_EQ(kMessageType<bank::Deposit>.name, "bank::Deposit");
  EXPECT_EQ(kMessageType<bank::Outer::Inner>.name, "bank::Outer::Inner");
  EXPECT_EQ(kMessageType<int>.name, "int");
  EXPECT_EQ(kMessageType<double>.name, "double");
}

TEST(MessageTypeTest, NamesTypesWhoseNameLooksLikeTheCompilersFrame) {
  EXPECT_EQ(kMessageType<bank::Row<';'>>.name, "bank::Row<';'>");
  EXPECT_EQ(kMessageType<bank::Row<']'>>.name, "bank::Row<']'>");
  EXPECT_EQ(kMessageType<bank::Row<'='>>.name, "bank::Row<'='>");
}

TEST(MessageTypeTest, NamesATypeWithoutALinkageName) {
  struct Local {};
  EXPECT_EQ(kMessageType<Local>.name.substr(kMessageType<Local>.name.size() -
                                            std::string("Local").size()),
            "Local");
}

TEST(MessageTypeTest, AddressIsTheTypesIdentity) {
  // Two types with equal contents.
  EXPECT_NE(&kMessageType<bank::Row<'a'>>, &kMessageType<bank::Row<'b'>>);
  const MessageType* const first = &kMessageType<bank::Deposit>;
  const MessageType* const second = &kMessageType<bank::Deposit>;
  EXPECT_EQ(first, second);
}

TEST(MessageTypeTest, PayloadBeginsBehindTheHeaderAtItsAlignment) {
  EXPECT_EQ(MessageType::PayloadOffset(1), 24u);
  EXPECT_EQ(MessageType::PayloadOffset(8), 24u);
  EXPECT_EQ(MessageType::PayloadOffset(16), 32u);
  EXPECT_EQ(MessageType::PayloadOffset(32), 32u);
  EXPECT_EQ(MessageType::PayloadOffset(64), 64u);
}

TEST(MessageTypeTest, TellsSizeAndPlaceOfThePayload) {
  struct alignas(32) Wide {
    char bytes[96];
  };
  EXPECT_EQ(kMessageType<Wide>.size_bytes, 96u);
  EXPECT_EQ(kMessageType<Wide>.payload_offset, 32u);
}

TEST(MessageTypeTest, TriviallyDestructibleTypeNeedsNoDestructor) {
  EXPECT_EQ(kMessageType<bank::Deposit>.destroy, nullptr);
  EXPECT_NE(kMessageType<std::string>.destroy, nullptr);
}

TEST(MessageTypeTest, RelocateMovesAndDestroysTheSource) {
  using Message = std::unique_ptr<int>;
  alignas(Message) char from[sizeof(Message)];
  alignas(Message) char to[sizeof(Message)];
  ::new (from) Message(new int(5));

  kMessageType<Message>.relocate(from, to);

  Message* const moved = reinterpret_cast<Message*>(to);
  EXPECT_EQ(**moved, 5);
  kMessageType<Message>.destroy(to);
}

TEST(MessageTypeTest, TypeThatCannotMoveHasNoRelocate) {
  struct Pinned {
    Pinned() = default;
    Pinned(Pinned&&) = delete;
  };
  EXPECT_EQ(kMessageType<Pinned>.relocate, nullptr);
}

}  // namespace
}  // namespace troupe
