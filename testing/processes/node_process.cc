#include "troupe/testing/processes/node_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <iostream>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "troupe/base/check.h"
#include "troupe/cluster/grpc/internal/grpc_testing.h"

extern char** environ;

namespace troupe::testing {
namespace {

// Where Bazel puts what a test needs, seen from where it starts it.
constexpr char kProgram[] = "testing/processes/node_under_test";

// What takes longer never comes.
constexpr absl::Duration kForever = absl::Minutes(4);

struct Pipe {
  int read = -1;
  int write = -1;
};
// Not for other children: a pipe ends when all who have it are gone.
Pipe NewPipe() {
  int ends[2];
  TROUPE_CHECK(::pipe2(ends, O_CLOEXEC) == 0, "a test needs a pipe");
  return {.read = ends[0], .write = ends[1]};
}

uint64_t Number(const std::string& word) {
  uint64_t number = 0;
  TROUPE_CHECK(absl::SimpleAtoi(word, &number), "a node says a number");
  return number;
}

}  // namespace

NodeProcess::NodeProcess(const std::vector<std::string>& arguments) {
  // Who writes to a node that is gone is told so.
  ::signal(SIGPIPE, SIG_IGN);
  const Pipe in = NewPipe();
  const Pipe out = NewPipe();
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in.read, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out.write, STDOUT_FILENO);
  std::vector<std::string> words = {kProgram};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const int error =
      ::posix_spawn(&pid_, kProgram, &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(in.read);
  ::close(out.write);
  TROUPE_CHECK(error == 0, "a test starts a process");
  in_ = in.write;
  out_ = out.read;
}

NodeProcess::~NodeProcess() {
  if (pid_ > 0) Signal(SIGKILL);
  if (in_ >= 0) ::close(in_);
  ::close(out_);
}

void NodeProcess::Say(absl::string_view command) {
  const std::string line = absl::StrCat(command, "\n");
  (void)!::write(in_, line.data(), line.size());
}

bool NodeProcess::Hear(absl::Duration within) {
  pollfd readable = {.fd = out_, .events = POLLIN, .revents = 0};
  const int millis = static_cast<int>(absl::ToInt64Milliseconds(within));
  if (::poll(&readable, 1, millis) <= 0) return false;
  char bytes[4096];
  const ssize_t got = ::read(out_, bytes, sizeof(bytes));
  if (got <= 0) return false;
  const absl::string_view heard(bytes, static_cast<size_t>(got));
  absl::StrAppend(&all_, heard);
  absl::StrAppend(&partial_, heard);
  std::vector<std::string> lines = absl::StrSplit(partial_, '\n');
  partial_ = std::move(lines.back());
  lines.pop_back();
  lines_.insert(lines_.end(), lines.begin(), lines.end());
  return true;
}

std::vector<std::string> NodeProcess::Take(absl::string_view beginning) {
  const absl::Time until = absl::Now() + kForever;
  for (;;) {
    const auto line = std::find_if(
        lines_.begin(), lines_.end(),
        [&](const auto& one) { return absl::StartsWith(one, beginning); });
    if (line != lines_.end()) {
      std::vector<std::string> words = absl::StrSplit(*line, ' ');
      lines_.erase(line);
      return words;
    }
    if (!Hear(until - absl::Now())) {
      std::cerr << "'" << beginning << "' was not said; but\n" << all_;
      TROUPE_CHECK(false, "a node says what a test waits for");
    }
  }
}

size_t NodeProcess::Left(absl::string_view beginning) const {
  return static_cast<size_t>(std::count_if(
      lines_.begin(), lines_.end(),
      [&](const auto& one) { return absl::StartsWith(one, beginning); }));
}

void NodeProcess::Signal(int signal) {
  ::kill(pid_, signal);
  if (signal == SIGKILL) (void)Reap();
  if (signal != SIGSTOP) return;
  int status = 0;
  while (::waitpid(pid_, &status, WUNTRACED) < 0 && errno == EINTR) {
  }
}

int NodeProcess::Leave() {
  ::close(std::exchange(in_, -1));
  return Reap();
}

int NodeProcess::Reap() {
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

size_t NodeProcess::resident_bytes() const {
  std::ifstream file(absl::StrCat("/proc/", pid_, "/statm"));
  size_t virtual_pages = 0;
  size_t pages = 0;
  file >> virtual_pages >> pages;
  return pages * static_cast<size_t>(::sysconf(_SC_PAGESIZE));
}

Cluster::Cluster(const std::vector<std::string>& names, const Options& options)
    : options_(options) {
  for (const std::string& name : names) {
    absl::StrAppend(&members_, members_.empty() ? "" : ",", name, "=",
                    FreeAddress());
  }
}

NodeProcess& Cluster::StartHidden(const std::string& name) {
  std::vector<std::string> members = absl::StrSplit(members_, ',');
  for (std::string& member : members) {
    if (!absl::StartsWith(member, name + "=")) continue;
    member = absl::StrCat(name, "=", FreeAddress());
  }
  return Start(name, absl::StrJoin(members, ","));
}

NodeProcess& Cluster::Start(const std::string& name,
                            const std::string& members) {
  std::unique_ptr<NodeProcess>& node = nodes_[name];
  node.reset();
  node = std::make_unique<NodeProcess>(std::vector<std::string>{
      "--name=" + name, "--members=" + members, "--tls=" + options_.tls,
      "--heartbeat=" + absl::FormatDuration(options_.heartbeat),
      "--silence=" + absl::FormatDuration(options_.silence)});
  (void)node->Take("ready");
  return *node;
}

bool Cluster::LeaveAll() {
  bool well = true;
  for (const auto& [name, node] : nodes_) {
    const int code = node->Leave();
    if (code == 0) continue;
    std::cerr << "The node " << name << " has ended with " << code << "\n";
    well = false;
  }
  nodes_.clear();
  return well;
}

Account AccountOf(NodeProcess& from, const std::string& to) {
  for (;;) {
    from.Say("account " + to);
    const std::vector<std::string> words = from.Take("account " + to);
    if (words[2] == "failed") continue;
    return {.incarnation = Number(words[2]),
            .handled = Number(words[3]),
            .gaps = Number(words[4]),
            .missed = Number(words[5]),
            .disorder = Number(words[6]),
            .astray = Number(words[7]),
            .accepted = Number(words[8])};
  }
}

void Aim(NodeProcess& from, const std::string& to) {
  do {
    from.Say("aim " + to);
  } while (from.Take("aimed " + to)[2] == "failed");
}

uint64_t Watch(NodeProcess& from, const std::string& to) {
  std::vector<std::string> words;
  do {
    from.Say("watch " + to);
    words = from.Take("watching " + to);
  } while (words[2] == "failed");
  return Number(words[2]);
}

Account SettledAccountOf(NodeProcess& from, const std::string& to) {
  const std::string down = "down " + to;
  for (;;) {
    Aim(from, to);
    const size_t downs = from.Left(down);
    from.Say(absl::StrCat("flood ", to, " 1 1"));
    (void)from.Take("sent " + to);
    const Account account = AccountOf(from, to);
    // A session that ended was told before the one that has answered.
    if (from.Left(down) == downs) return account;
  }
}

}  // namespace troupe::testing
