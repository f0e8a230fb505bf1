// What a session does before it is up where a secret is to be proven, and how
// it takes a refusal.
#include <string>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "troupe/cluster/codec/encoder.h"
#include "troupe/cluster/internal/session.h"

namespace troupe::internal {
namespace {

// Of what a stranger says.
constexpr size_t kMaxRefusalBytes = 500;

}  // namespace

void Session::BeginIntroduction() {
  if (shared_.options.cookie == nullptr) return;
  introduction_.emplace(*shared_.options.cookie, shared_.node.self(),
                        expected_);
}

absl::Status Session::CheckAdmitted(const std::string& name) const {
  if (shared_.node.authorization().Admits(name)) return absl::OkStatus();
  return absl::PermissionDeniedError(absl::StrCat(
      "'", name, "' is not among the nodes that '", shared_.node.self().name,
      "' admits; what would do it there: Authorization::Admit(\"", name,
      "\")"));
}

absl::Status Session::OnChallenge(const ChallengeItem& item) {
  if (up_ != nullptr) return absl::DataLossError("a challenge of a peer");
  const bool dialled = !expected_.empty();
  if (!introduction_.has_value()) {
    return absl::UnauthenticatedError(absl::StrCat(
        "who is at ", connection_->peer(),
        " wants a cookie to be proven, and '", shared_.node.self().name,
        "' has none: give it the same (NodeOptions::cookie)"));
  }
  Encoder answer;
  // First, so that what is no name is not told as one.
  absl::Status status = introduction_->OnChallenge(item, answer);
  if (status.ok()) status = CheckIdentity(dialled ? expected_ : item.name);
  if (status.ok() && !dialled) status = CheckAdmitted(item.name);
  if (status.ok()) SendFrame(TransportLane::kControl, answer);
  return status;
}

absl::Status Session::OnProof(const ProofItem& item) {
  if (!introduction_.has_value()) {
    return absl::DataLossError("a proof that was not asked for");
  }
  Encoder answer;
  absl::Status status = introduction_->OnProof(item, answer);
  if (!status.ok()) return status;
  if (!expected_.empty()) AppendItem(Hello(), answer);
  SendFrame(TransportLane::kControl, answer);
  return absl::OkStatus();
}

void Session::OnRefused(const absl::Status& why) {
  if (up_ != nullptr) return EndSilently(why);
  // What it says goes into logs.
  std::string words(why.message().substr(0, kMaxRefusalBytes));
  for (char& c : words) {
    if (!absl::ascii_isprint(static_cast<unsigned char>(c))) c = '?';
  }
  // Nobody hears of an end that is aborted, which no stranger decides.
  const bool is_no_reason = why.ok() || (IsStranger() && absl::IsAborted(why));
  EndSilently(absl::Status(
      is_no_reason ? absl::StatusCode::kUnavailable : why.code(), words));
}

}  // namespace troupe::internal
