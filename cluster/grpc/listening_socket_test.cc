#include "troupe/cluster/grpc/internal/listening_socket.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/barrier.h"
#include "absl/synchronization/mutex.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/cluster/grpc/internal/address.h"
#include "troupe/cluster/grpc/internal/grpc_testing.h"
#include "troupe/scheduler/thread_factory.h"
#include "troupe/testing/status_matchers.h"

namespace troupe::internal {
namespace {

using ::testing::HasSubstr;
using testing::IsOk;
using testing::ShortFolder;
using testing::StatusIs;
using testing::WaitUntil;

std::unique_ptr<ListeningSocket> BindAt(absl::string_view address) {
  return ListeningSocket::Bind(ParseAddress(address).value()).value();
}

// Keeps what connects.
class Taken {
 public:
  explicit Taken(ListeningSocket& listening) {
    EXPECT_THAT(listening.Start(RealThreadFactory(),
                                [this](int socket) {
                                  absl::MutexLock lock(&mu_);
                                  sockets_.emplace_back(socket);
                                }),
                IsOk());
  }

  size_t count() {
    absl::MutexLock lock(&mu_);
    return sockets_.size();
  }
  void Close() {
    absl::MutexLock lock(&mu_);
    sockets_.clear();
  }

 private:
  absl::Mutex mu_;
  std::vector<Descriptor> sockets_ ABSL_GUARDED_BY(mu_);
};

Descriptor NewSocket() {
  return Descriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
}
bool Connect(const Descriptor& socket, const Address& address) {
  sockaddr_in where = {};
  where.sin_family = AF_INET;
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  where.sin_port = htons(address.port);
  return ::connect(socket.number(), reinterpret_cast<sockaddr*>(&where),
                   sizeof(where)) == 0;
}

TEST(ListeningSocketTest, WhatConnectsIsTaken) {
  const auto listening = BindAt("127.0.0.1:0");
  EXPECT_NE(listening->address().port, 0);
  Taken taken(*listening);
  const Descriptor one = NewSocket();
  const Descriptor another = NewSocket();
  EXPECT_TRUE(Connect(one, listening->address()));
  EXPECT_TRUE(Connect(another, listening->address()));
  EXPECT_TRUE(WaitUntil([&] { return taken.count() == 2; }));
}

// What came before there was somebody to take it waits for him.
TEST(ListeningSocketTest, WhatConnectsEarlyIsTakenToo) {
  const auto listening = BindAt("127.0.0.1:0");
  const Descriptor early = NewSocket();
  EXPECT_TRUE(Connect(early, listening->address()));
  Taken taken(*listening);
  EXPECT_TRUE(WaitUntil([&] { return taken.count() == 1; }));
}

TEST(ListeningSocketTest, OnePortIsThatOfAllAddresses) {
  const auto listening = BindAt("localhost:0");
  Taken taken(*listening);
  const Descriptor one = NewSocket();
  EXPECT_TRUE(Connect(one, listening->address()));
  EXPECT_TRUE(WaitUntil([&] { return taken.count() == 1; }));
}

// -- several addresses --------------------------------------------------------

absl::StatusOr<std::vector<Descriptor>> ListenAtThese(
    Address& address, const std::vector<std::string>& hosts,
    BindFunction bind = &::bind) {
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICHOST;
  addrinfo* all = nullptr;
  const absl::Cleanup free_all = [&all] { ::freeaddrinfo(all); };
  for (auto host = hosts.rbegin(); host != hosts.rend(); ++host) {
    addrinfo* one = nullptr;
    EXPECT_EQ(::getaddrinfo(host->c_str(), "0", &hints, &one), 0);
    one->ai_next = all;
    all = one;
  }
  return ListenAtAll(address, *all, bind);
}

// As of ::1, where IPv6 is turned off and its name is still there.
TEST(ListenAtAllTest, AddressThatThisMachineLacksIsPassedOver) {
  // Of the range that is for documentation.
  const std::string lacking = "192.0.2.1";
  Address address = {.host = "name"};
  const auto sockets = ListenAtThese(address, {lacking, "127.0.0.1"});
  ASSERT_THAT(sockets, IsOk());
  EXPECT_EQ(sockets->size(), 1);
  EXPECT_NE(address.port, 0);
  EXPECT_TRUE(Connect(NewSocket(), address));
  Address another = {.host = "name"};
  EXPECT_THAT(ListenAtThese(another, {"127.0.0.1", lacking}), IsOk());
  Address none = {.host = "name"};
  EXPECT_THAT(ListenAtThese(none, {lacking, lacking}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("name")));
}

// The port that was drawn for one address may be somebody's at another.
TEST(ListenAtAllTest, PortIsDrawnUntilItIsFreeEverywhere) {
  const std::vector<std::string> hosts = {"127.0.0.1", "127.0.0.2"};
  int binds = 0;
  const auto taken_at_first = [&](int socket, const sockaddr* where,
                                  socklen_t size) {
    if (++binds == 2 || binds == 4) {
      errno = EADDRINUSE;
      return -1;
    }
    return ::bind(socket, where, size);
  };
  Address address = {.host = "name"};
  const auto sockets = ListenAtThese(address, hosts, taken_at_first);
  ASSERT_THAT(sockets, IsOk());
  EXPECT_EQ(sockets->size(), 2);
  EXPECT_EQ(binds, 6);
  EXPECT_TRUE(Connect(NewSocket(), address));
  // One that was asked for is not replaced.
  Address same = {.host = "name", .port = address.port};
  EXPECT_THAT(ListenAtThese(same, hosts),
              StatusIs(absl::StatusCode::kAlreadyExists));
  // It ends.
  const auto taken_at_second = [&](int socket, const sockaddr* where,
                                   socklen_t size) {
    if (++binds % 2 == 1) return ::bind(socket, where, size);
    errno = EADDRINUSE;
    return -1;
  };
  Address none = {.host = "name"};
  EXPECT_THAT(ListenAtThese(none, hosts, taken_at_second),
              StatusIs(absl::StatusCode::kAlreadyExists));
}

// As of a host that has two lines in /etc/hosts.
TEST(ListenAtAllTest, AddressThatIsThereTwiceIsOne) {
  for (const char* twice : {"127.0.0.1", "::1"}) {
    int binds = 0;
    const auto count = [&](int, const sockaddr*, socklen_t) {
      ++binds;
      errno = EADDRNOTAVAIL;
      return -1;
    };
    Address address = {.host = "name"};
    EXPECT_FALSE(
        ListenAtThese(address, {twice, "127.0.0.2", twice}, count).ok());
    EXPECT_LE(binds, 2) << twice;
  }
  Address address = {.host = "name"};
  const auto sockets = ListenAtThese(address, {"127.0.0.1", "127.0.0.1"});
  ASSERT_THAT(sockets, IsOk());
  EXPECT_EQ(sockets->size(), 1);
  EXPECT_TRUE(Connect(NewSocket(), address));
}

// It listens at all addresses, or says why not.
TEST(ListenAtAllTest, ShortageOfDescriptorsIsNoLackOfAnAddress) {
  rlimit limit = {};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  rlimit low = limit;
  // Room for the first one.
  low.rlim_cur = static_cast<rlim_t>(NewSocket().number()) + 1;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
  Address address = {.host = "name"};
  const absl::Status status =
      ListenAtThese(address, {"127.0.0.1", "127.0.0.2"}).status();
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kUnavailable,
                               HasSubstr(std::strerror(EMFILE))));
}

// -- ends and paths -----------------------------------------------------------

sockaddr_un ToUnix(const std::string& path) {
  sockaddr_un where = {};
  where.sun_family = AF_UNIX;
  std::memcpy(where.sun_path, path.data(), path.size());
  return where;
}

// As after a kill: the path is there, and nobody behind it.
void LeaveDeadSocket(const std::string& path) {
  const sockaddr_un where = ToUnix(path);
  const Descriptor dead(::socket(AF_UNIX, SOCK_STREAM, 0));
  ASSERT_EQ(::bind(dead.number(), reinterpret_cast<const sockaddr*>(&where),
                   sizeof(where)),
            0);
}

bool ConnectTo(const std::string& path) {
  const sockaddr_un where = ToUnix(path);
  const Descriptor socket(::socket(AF_UNIX, SOCK_STREAM, 0));
  return ::connect(socket.number(), reinterpret_cast<const sockaddr*>(&where),
                   sizeof(where)) == 0;
}

TEST(ListeningSocketTest, StoppedAddressIsFree) {
  const auto listening = BindAt("127.0.0.1:0");
  const std::string address = listening->address().ToString();
  Taken taken(*listening);
  EXPECT_THAT(ListeningSocket::Bind(listening->address()),
              StatusIs(absl::StatusCode::kAlreadyExists, HasSubstr(address)));
  listening->Stop();
  const auto next = ListeningSocket::Bind(listening->address());
  ASSERT_THAT(next, IsOk());
  Taken taken_next(**next);
  const Descriptor socket = NewSocket();
  EXPECT_TRUE(Connect(socket, listening->address()));
  EXPECT_TRUE(WaitUntil([&] { return taken_next.count() == 1; }));
  EXPECT_EQ(taken.count(), 0);
}

TEST(ListeningSocketTest, StoppedPathIsFree) {
  const ShortFolder folder;
  const std::string path = folder.path() + "/socket";
  const auto listening = BindAt("unix:" + path);
  EXPECT_THAT(ListeningSocket::Bind(listening->address()),
              StatusIs(absl::StatusCode::kAlreadyExists, HasSubstr(path)));
  listening->Stop();
  EXPECT_NE(::access(path.c_str(), F_OK), 0);
  EXPECT_THAT(ListeningSocket::Bind(listening->address()), IsOk());
}

// Whoever has connected, and was not taken, learns at once that nobody is
// there.
TEST(ListeningSocketTest, WhoWaitsAtAStoppedPathIsLetGo) {
  const ShortFolder folder;
  const std::string path = folder.path() + "/socket";
  const auto listening = BindAt("unix:" + path);
  const sockaddr_un where = ToUnix(path);
  const Descriptor waits(::socket(AF_UNIX, SOCK_STREAM, 0));
  ASSERT_EQ(::connect(waits.number(), reinterpret_cast<const sockaddr*>(&where),
                      sizeof(where)),
            0);
  listening->Stop();
  Taken taken(*listening);
  pollfd readable = {.fd = waits.number(), .events = POLLIN, .revents = 0};
  ASSERT_EQ(::poll(&readable, 1, 10'000), 1);
  char none;
  EXPECT_LE(::read(waits.number(), &none, 1), 0);
  EXPECT_EQ(taken.count(), 0);
}

TEST(ListeningSocketTest, PathWhoseOwnerDiedIsFree) {
  const ShortFolder folder;
  const std::string path = folder.path() + "/socket";
  LeaveDeadSocket(path);
  EXPECT_THAT(ListeningSocket::Bind(ParseAddress("unix:" + path).value()),
              IsOk());
}

// It has the path only when it can be connected to: or the other one would take
// it for one whose owner died.
TEST(ListeningSocketTest, OneOfTwoThatBeginAtOnceHasThePath) {
  const ShortFolder folder;
  for (int round = 0; round < 500; ++round) {
    const std::string path = absl::StrCat(folder.path(), "/", round);
    if (round % 2 == 0) LeaveDeadSocket(path);
    const Address address = ParseAddress("unix:" + path).value();
    std::unique_ptr<ListeningSocket> bound[2];
    std::thread threads[2];
    absl::Barrier* const both = new absl::Barrier(2);
    for (int i = 0; i < 2; ++i) {
      threads[i] = std::thread([&, i] {
        if (both->Block()) delete both;
        auto listening = ListeningSocket::Bind(address);
        if (listening.ok()) bound[i] = *std::move(listening);
      });
    }
    for (std::thread& thread : threads) thread.join();
    ASSERT_NE(bound[0] == nullptr, bound[1] == nullptr) << round;
    ASSERT_TRUE(ConnectTo(path)) << round;
  }
}

TEST(ListeningSocketTest, PathOfAnotherOneStays) {
  const ShortFolder folder;
  const std::string path = folder.path() + "/socket";
  const auto first = BindAt("unix:" + path);
  ASSERT_EQ(::unlink(path.c_str()), 0);
  const auto second = BindAt("unix:" + path);
  first->Stop();
  EXPECT_TRUE(ConnectTo(path));
}

// With what is there until it has its path.
TEST(ListeningSocketTest, NothingElseIsLeftInTheFolder) {
  const ShortFolder folder;
  const auto listening = BindAt("unix:" + folder.path() + "/socket");
  EXPECT_THAT(ListeningSocket::Bind(listening->address()),
              StatusIs(absl::StatusCode::kAlreadyExists));
  const std::filesystem::directory_iterator files(folder.path());
  EXPECT_EQ(std::distance(begin(files), end(files)), 1);
}

TEST(ListeningSocketTest, LongestPathCanBeListenedAt) {
  const ShortFolder folder;
  std::string path = folder.path() + "/";
  path.append(sizeof(sockaddr_un{}.sun_path) - 3 - path.size(), 'x');
  std::filesystem::create_directory(path);
  path += "/s";
  const auto listening = BindAt("unix:" + path);
  EXPECT_TRUE(ConnectTo(path));
  listening->Stop();
  EXPECT_NE(::access(path.c_str(), F_OK), 0);
}

// A file that is no socket is somebody's.
TEST(ListeningSocketTest, FileIsNotTakenForAPath) {
  const ShortFolder folder;
  const std::string path = folder.path() + "/file";
  testing::WriteFile(path, "content");
  EXPECT_THAT(ListeningSocket::Bind(ParseAddress("unix:" + path).value()),
              StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_EQ(::access(path.c_str(), F_OK), 0);
}

TEST(ListeningSocketTest, UnknownHostCannotBeListenedAt) {
  EXPECT_THAT(
      ListeningSocket::Bind(ParseAddress("no.such.host.invalid:0").value()),
      StatusIs(absl::StatusCode::kInvalidArgument,
               HasSubstr("no.such.host.invalid")));
}

TEST(ListeningSocketTest, AddressOfAnotherMachineCannotBeListenedAt) {
  // Of the range that is for documentation.
  EXPECT_THAT(
      ListeningSocket::Bind(ParseAddress("192.0.2.1:0").value()),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("192.0.2.1")));
}

// Descriptors that run out are no end: what has connected waits, and is taken
// when there are some again.
TEST(ListeningSocketTest, ShortageOfDescriptorsPasses) {
  const auto listening = BindAt("127.0.0.1:0");
  Taken taken(*listening);
  rlimit limit = {};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  std::vector<Descriptor> clients;
  for (int i = 0; i < 8; ++i) clients.push_back(NewSocket());
  // None that is greater than those that there are.
  rlimit low = limit;
  low.rlim_cur = static_cast<rlim_t>(clients.back().number()) + 1;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
  EXPECT_EQ(NewSocket().number(), -1);
  for (const Descriptor& client : clients) {
    EXPECT_TRUE(Connect(client, listening->address()));
  }
  EXPECT_EQ(taken.count(), 0);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  EXPECT_TRUE(WaitUntil([&] { return taken.count() == clients.size(); }));
  taken.Close();
}

// Without a descriptor of its own.
int CountDescriptors() {
  int count = 0;
  for (int one = 0; one < 1024; ++one) {
    if (::fcntl(one, F_GETFD) >= 0) ++count;
  }
  return count;
}

// Connections over a socket of Unix that end while there is a shortage keep no
// descriptors from those that wait.
TEST(ListeningSocketTest, EndsAreSeenInAShortage) {
  constexpr size_t kClients = 4;
  // More than the limit lets be waited for.
  std::vector<Descriptor> low;
  for (int i = 0; i < 20; ++i) low.push_back(NewSocket());
  const ShortFolder folder;
  const std::string path = folder.path() + "/socket";
  const auto listening = BindAt("unix:" + path);
  Taken taken(*listening);
  const sockaddr_un where = ToUnix(path);
  const auto connect = [&](const Descriptor& client) {
    EXPECT_EQ(
        ::connect(client.number(), reinterpret_cast<const sockaddr*>(&where),
                  sizeof(where)),
        0);
  };
  std::vector<Descriptor> ended;
  std::vector<Descriptor> waiting;
  for (size_t i = 0; i < kClients; ++i) {
    ended.emplace_back(::socket(AF_UNIX, SOCK_STREAM, 0));
    waiting.emplace_back(::socket(AF_UNIX, SOCK_STREAM, 0));
    connect(ended.back());
  }
  ASSERT_TRUE(WaitUntil([&] { return taken.count() == kClients; }));
  rlimit limit = {};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  rlimit none = limit;
  none.rlim_cur = static_cast<rlim_t>(low.back().number()) + 1;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  for (const Descriptor& client : waiting) connect(client);
  const int before = CountDescriptors();
  ended.clear();
  taken.Close();
  // Those, and the second ones.
  const int after = before - 3 * static_cast<int>(kClients);
  EXPECT_TRUE(WaitUntil([&] { return CountDescriptors() == after; }))
      << CountDescriptors() << " of " << before;
  EXPECT_EQ(taken.count(), 0);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  EXPECT_TRUE(WaitUntil([&] { return taken.count() == kClients; }));
  taken.Close();
}

}  // namespace
}  // namespace troupe::internal
