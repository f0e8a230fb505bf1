// Makes the certificates of a cluster: an authority of its own, and one
// certificate for each node, in a new folder.
//
//   bazel run //tools/certificates -- --folder=/tmp/mine --nodes=a,b,c
//
// The authority's key is not kept: to add a node, make all of them anew. Who
// has an authority already orders certificates there: the name of the node
// among the DNS names of the subject, for client and server.
#include <sys/stat.h>

#include <cerrno>
#include <climits>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <system_error>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "troupe/cluster/node_id.h"
#include "troupe/tools/certificates/authority.h"

ABSL_FLAG(std::string, folder, "", "Where the files go; must not exist.");
ABSL_FLAG(std::vector<std::string>, nodes, {}, "The names of the nodes.");
ABSL_FLAG(absl::Duration, valid_for, absl::Hours(24 * 365),
          "How long the certificates of nodes are valid.");

namespace troupe {
namespace {

bool Write(const std::string& path, const std::string& content) {
  std::ofstream file(path, std::ios::binary);
  file << content;
  if (file.flush()) return true;
  std::cerr << "Cannot write " << path << ": " << std::strerror(errno) << "\n";
  return false;
}

// So that there is a file of that name, with ".pem".
constexpr size_t kMaxNameBytes = NAME_MAX - 4;

// Of the file that all nodes have.
constexpr char kAuthorities[] = "authorities";

absl::Status CheckNodes(const std::vector<std::string>& nodes) {
  for (const std::string& node : nodes) {
    if (absl::Status status = CheckNodeName(node); !status.ok()) return status;
    if (node.size() > kMaxNameBytes) {
      return absl::InvalidArgumentError(
          absl::StrCat("files of a node are called as it is: at most ",
                       kMaxNameBytes, " characters here, not ", node.size()));
    }
    if (node == kAuthorities) {
      return absl::InvalidArgumentError(
          absl::StrCat("no node can be called ", kAuthorities,
                       " here: the file of that name is the authority's"));
    }
  }
  return absl::OkStatus();
}

int Run() {
  const std::string folder = absl::GetFlag(FLAGS_folder);
  const std::vector<std::string> nodes = absl::GetFlag(FLAGS_nodes);
  if (folder.empty() || nodes.empty()) {
    std::cerr << "Say --folder=PATH and --nodes=NAME,NAME...\n";
    return 2;
  }
  if (const absl::Status status = CheckNodes(nodes); !status.ok()) {
    std::cerr << status.message() << "\n";
    return 2;
  }
  const absl::Duration valid_for = absl::GetFlag(FLAGS_valid_for);
  if (valid_for <= absl::ZeroDuration() ||
      valid_for > CertificateAuthority::kValidFor) {
    std::cerr << "Certificates that are valid for "
              << absl::FormatDuration(valid_for)
              << ": choose up to ten years, as the authority's is\n";
    return 2;
  }
  // Nothing is open to others, not even while it is written.
  ::umask(S_IRWXG | S_IRWXO);
  std::error_code error;
  if (!std::filesystem::create_directory(folder, error)) {
    std::cerr << "Cannot make the folder " << folder << ": "
              << (error ? error.message() : "it is there already") << "\n";
    return 1;
  }
  const CertificateAuthority authority =
      CertificateAuthority::Create("Troupe cluster");
  if (!Write(absl::StrCat(folder, "/", kAuthorities, ".pem"),
             authority.certificate())) {
    return 1;
  }
  for (const std::string& node : nodes) {
    const Certificate certificate =
        authority.Issue({.names = {node}, .until = valid_for});
    if (!Write(absl::StrCat(folder, "/", node, ".pem"),
               certificate.certificate) ||
        !Write(absl::StrCat(folder, "/", node, ".key"), certificate.key)) {
      return 1;
    }
  }
  std::cout << "Each node has authorities.pem, and its own .pem and .key, of "
            << folder << "\n";
  return 0;
}

}  // namespace
}  // namespace troupe

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage(
      "Makes the certificates of a cluster.\n"
      "  --folder=/tmp/mine --nodes=a,b,c");
  absl::ParseCommandLine(argc, argv);
  return troupe::Run();
}
