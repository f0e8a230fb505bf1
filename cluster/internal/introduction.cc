#include "troupe/cluster/internal/introduction.h"

#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace troupe::internal {
namespace {

// Of what the secret proves nothing else. The number is that of the order of
// what follows.
constexpr absl::string_view kPurpose = "troupe introduction 1";

}  // namespace

Introduction::Introduction(SharedSecret& secret, NodeId self,
                           const std::string& dialled)
    : secret_(secret),
      dialled_(!dialled.empty()),
      self_(std::move(self)),
      peer_{dialled},
      nonce_(secret.NewNonce()) {}

void Introduction::Begin(Encoder& frame) {
  AppendItem(ChallengeItem{.name = self_.name,
                           .incarnation = self_.incarnation,
                           .to = peer_.name,
                           .nonce = nonce_},
             frame);
}

absl::Status Introduction::OnChallenge(const ChallengeItem& item,
                                       Encoder& frame) {
  if (state_ != State::kAwaitsChallenge) {
    return absl::DataLossError("a second challenge");
  }
  if (item.nonce.size() != SharedSecret::kNonceBytes) {
    return absl::DataLossError(
        absl::StrCat("a challenge of ", item.nonce.size(), " bytes"));
  }
  if (!dialled_) {
    if (absl::Status status = CheckNodeName(item.name); !status.ok()) {
      return status;
    }
    if (item.to != self_.name) {
      return absl::FailedPreconditionError(
          absl::StrCat("'", item.name, "' has dialled another node, and '",
                       self_.name, "' answers"));
    }
    peer_.name = item.name;
  }
  peer_.incarnation = item.incarnation;
  peer_nonce_ = item.nonce;
  state_ = State::kAwaitsProof;
  if (dialled_) {
    AppendItem(ProofItem{secret_.Prove(Statement(/*by_dialler=*/true))}, frame);
  } else {
    AppendItem(ChallengeItem{.incarnation = self_.incarnation, .nonce = nonce_},
               frame);
  }
  return absl::OkStatus();
}

absl::Status Introduction::OnProof(const ProofItem& item, Encoder& frame) {
  if (state_ != State::kAwaitsProof) {
    return absl::DataLossError("a proof that was not asked for");
  }
  if (item.proofs.size() > SharedSecret::kMaxProofs) {
    return absl::DataLossError(absl::StrCat(item.proofs.size(), " proofs"));
  }
  if (!secret_.Accepts(Statement(/*by_dialler=*/!dialled_), item.proofs)) {
    return absl::UnauthenticatedError(absl::StrCat(
        "who calls himself '", peer_.name, "' does not know the cookie of '",
        self_.name,
        "': give both nodes the same one (NodeOptions::cookie), and both the "
        "new and the old one while it is replaced"));
  }
  state_ = State::kDone;
  if (!dialled_) {
    AppendItem(ProofItem{secret_.Prove(Statement(/*by_dialler=*/false))},
               frame);
  }
  return absl::OkStatus();
}

absl::Status Introduction::CheckHello(const HelloItem& hello) const {
  if (!IsDone()) {
    return absl::UnauthenticatedError(
        absl::StrCat("'", hello.name,
                     "' greets and has not proven that it knows the cookie "
                     "of '",
                     self_.name, "': give it the same (NodeOptions::cookie)"));
  }
  if (hello.name == peer_.name && hello.incarnation == peer_.incarnation) {
    return absl::OkStatus();
  }
  return absl::UnauthenticatedError(
      absl::StrCat("who has proven to be '", peer_.name, "/", peer_.incarnation,
                   "' greets as '", hello.name, "/", hello.incarnation, "'"));
}

absl::Status Introduction::ForStrangers(const absl::Status& why) {
  switch (why.code()) {
    case absl::StatusCode::kUnauthenticated:
      return absl::UnauthenticatedError(
          "the other end admits only who proves that he knows its cookie: give "
          "both nodes the same one (NodeOptions::cookie); over TLS the name of "
          "a node must be one of its certificate");
    case absl::StatusCode::kFailedPrecondition:
      return absl::FailedPreconditionError(
          "who answers is not the node that was dialled");
    default:
      return absl::Status(why.code(), "the other end admits nobody like that");
  }
}

std::string Introduction::Statement(bool by_dialler) const {
  Encoder out;
  out.WriteBytes(kPurpose);
  out.WriteBytes(by_dialler ? "dialler" : "acceptor");
  const auto write = [&out](const NodeId& node, const std::string& nonce) {
    out.WriteBytes(node.name);
    out.WriteFixed<uint64_t>(node.incarnation);
    out.WriteBytes(nonce);
  };
  write(dialled_ ? self_ : peer_, dialled_ ? nonce_ : peer_nonce_);
  write(dialled_ ? peer_ : self_, dialled_ ? peer_nonce_ : nonce_);
  return std::string(out.bytes());
}

}  // namespace troupe::internal
