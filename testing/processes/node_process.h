// A node in a process of its own (node_under_test.cc), and a cluster of them,
// for tests: each is told what to do in lines, and heard in lines.
//
//   Cluster cluster({"a", "b"});
//   NodeProcess& a = cluster.Start("a");
//   cluster.Start("b");
//   a.Take("up b");
//   cluster.node("b").Signal(SIGKILL);
//   a.Take("down b");
//
// Blocking: Take() waits for as long as what is waited for may take on a
// machine that is busy; what takes longer ends the test.
// Thread safety: none.
#ifndef TROUPE_TESTING_PROCESSES_NODE_PROCESS_H_
#define TROUPE_TESTING_PROCESSES_NODE_PROCESS_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace troupe::testing {

class NodeProcess {
 public:
  explicit NodeProcess(const std::vector<std::string>& arguments);
  NodeProcess(const NodeProcess&) = delete;
  NodeProcess& operator=(const NodeProcess&) = delete;
  // Kills it, if it is there still.
  ~NodeProcess();

  void Say(absl::string_view command);
  // The words of the first line that begins with these, and was not taken yet.
  std::vector<std::string> Take(absl::string_view beginning);
  // How many lines that have come, and were not taken, begin so.
  size_t Left(absl::string_view beginning) const;
  // SIGKILL also waits for its end, and SIGSTOP until it has stopped.
  void Signal(int signal);
  // Has it leave; its exit code.
  int Leave();
  // Bytes of it that are in memory.
  size_t resident_bytes() const;

 private:
  // False: nothing came in time, or it has closed its output.
  bool Hear(absl::Duration within);
  int Reap();

  pid_t pid_ = -1;  // -1: it is gone.
  int in_ = -1;
  int out_ = -1;
  std::string partial_;
  std::list<std::string> lines_;
  std::string all_;  // For who looks why a test fails.
};

class Cluster {
 public:
  struct Options {
    absl::Duration heartbeat = absl::Seconds(2);
    absl::Duration silence = absl::Seconds(8);
    std::string tls = "";  // A folder; see node_under_test.cc.
  };

  Cluster(const std::vector<std::string>& names, const Options& options);

  // In the place of the one of that name that was there, at its address; waits
  // until it is ready.
  NodeProcess& Start(const std::string& name) { return Start(name, members_); }
  // The same at an address that the others do not know: it has to dial them.
  NodeProcess& StartHidden(const std::string& name);
  NodeProcess& node(const std::string& name) { return *nodes_.at(name); }
  // Has all that are there leave, one after the other; whether each ended well.
  bool LeaveAll();

 private:
  NodeProcess& Start(const std::string& name, const std::string& members);

  const Options options_;
  std::string members_;
  std::map<std::string, std::unique_ptr<NodeProcess>> nodes_;
};

// What the line "account ..." says.
struct Account {
  uint64_t incarnation = 0;
  uint64_t handled = 0;
  uint64_t gaps = 0;
  uint64_t missed = 0;
  uint64_t disorder = 0;
  uint64_t astray = 0;
  uint64_t accepted = 0;
};

// What `from` has sent to the node `to`; asks until that answers.
Account AccountOf(NodeProcess& from, const std::string& to);

// Has it send to whichever incarnation of that node is there, or will be.
void Aim(NodeProcess& from, const std::string& to);

// Has it monitor the inbox of whichever incarnation is there, which is
// returned.
uint64_t Watch(NodeProcess& from, const std::string& to);

// As AccountOf(), when one more message has been handled, in a session in which
// nothing is lost any more: then all of what was accepted before was handled,
// or is missed.
Account SettledAccountOf(NodeProcess& from, const std::string& to);

}  // namespace troupe::testing

#endif  // TROUPE_TESTING_PROCESSES_NODE_PROCESS_H_
