#include "troupe/cluster/grpc/internal/address.h"

#include <string>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/testing/status_matchers.h"

namespace troupe::internal {
namespace {

using ::testing::HasSubstr;
using testing::IsOk;
using testing::StatusIs;

TEST(AddressTest, FormsAreReadAndWritten) {
  for (const char* text : {"127.0.0.1:80", "host.example:0", "[::1]:65535",
                           "unix:/tmp/troupe/a"}) {
    const auto address = ParseAddress(text);
    ASSERT_THAT(address, IsOk());
    EXPECT_EQ(address->ToString(), text);
  }
}

TEST(AddressTest, WhatIsNoneIsToldWhy) {
  const struct {
    const char* text;
    const char* why;
  } kCases[] = {
      {"", "no port"},       {"host", "no port"},    {":80", "no host"},
      {"host:", "port"},     {"host:65536", "port"}, {"host:-1", "port"},
      {"host:http", "port"}, {"::1:80", "brackets"}, {"[::1:80", "bracket"},
      {"unix:", "absolute"}, {"unix:a", "absolute"},
  };
  for (const auto& one : kCases) {
    EXPECT_THAT(
        ParseAddress(one.text),
        StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(one.why)))
        << one.text;
  }
  EXPECT_THAT(
      ParseAddress("unix:/" + std::string(200, 'x')),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("too long")));
}

// gRPC takes what it dials for a URI.
TEST(AddressTest, PathIsWrittenSoThatItIsOneInAUri) {
  const struct {
    const char* text;
    const char* target;
  } kCases[] = {
      {"127.0.0.1:80", "127.0.0.1:80"},
      {"[::1]:80", "[::1]:80"},
      {"unix:/tmp/a-b_c.d~e", "unix:/tmp/a-b_c.d~e"},
      {"unix:/a b", "unix:/a%20b"},
      {"unix:/%41?#", "unix:/%2541%3f%23"},
      {"unix://a/b", "unix:/a/b"},
      {"unix:/\xc3\xa4", "unix:/%c3%a4"},
  };
  for (const auto& one : kCases) {
    EXPECT_EQ(ParseAddress(one.text)->ToTarget(), one.target) << one.text;
  }
}

TEST(AddressTest, MachineItselfIsLocal) {
  for (const char* text :
       {"127.0.0.1:1", "127.9.9.9:1", "localhost:1", "[::1]:1", "unix:/a"}) {
    EXPECT_TRUE(ParseAddress(text)->IsLocal()) << text;
  }
  for (const char* text : {"0.0.0.0:1", "[::]:1", "10.0.0.1:1", "host:1",
                           "128.127.0.1:1", "127.example:1"}) {
    EXPECT_FALSE(ParseAddress(text)->IsLocal()) << text;
  }
}

}  // namespace
}  // namespace troupe::internal
