// How the two ends of a connection prove to each other that they know the
// secret of their cluster, before either says more of itself than it has to:
//
//   dialler                                    acceptor
//   Challenge{name, incarnation, to, nonce} ->
//                                           <- Challenge{incarnation, nonce}
//   Proof                                   ->
//                                           <- Proof
//
// and then the hellos. A proof is about who gives it, the dialler or the
// acceptor, and about names, incarnations and nonces of both. So what was heard
// in another connection is none, nor is the other end's own.
//
// Errors: kUnauthenticated: no proof, or of another. kFailedPrecondition: the
// dialler wants another node. kDataLoss: what comes makes no sense, or not yet.
// Thread safety: belongs to the session.
#ifndef TROUPE_CLUSTER_INTERNAL_INTRODUCTION_H_
#define TROUPE_CLUSTER_INTERNAL_INTRODUCTION_H_

#include <string>

#include "absl/status/status.h"
#include "troupe/cluster/codec/encoder.h"
#include "troupe/cluster/internal/items.h"
#include "troupe/cluster/node_id.h"
#include "troupe/cluster/shared_secret.h"

namespace troupe::internal {

class Introduction {
 public:
  // `dialled` is the node that was dialled; empty: the connection was accepted.
  // The secret outlives it.
  Introduction(SharedSecret& secret, NodeId self, const std::string& dialled);

  // Appends what the one who dials begins with.
  void Begin(Encoder& frame);
  // These append what is to be said next.
  absl::Status OnChallenge(const ChallengeItem& item, Encoder& frame);
  absl::Status OnProof(const ProofItem& item, Encoder& frame);

  // Whether the other end has proven that it belongs here.
  bool IsDone() const { return state_ == State::kDone; }
  // Whether a hello may come now, and is of the one who has proven it.
  absl::Status CheckHello(const HelloItem& hello) const;

  // What the other end may be told of a failure, as long as it has proven
  // nothing.
  static absl::Status ForStrangers(const absl::Status& why);

 private:
  enum class State { kAwaitsChallenge, kAwaitsProof, kDone };

  // What is proven, by the one who dialled or the other one.
  std::string Statement(bool by_dialler) const;

  SharedSecret& secret_;
  const bool dialled_;
  const NodeId self_;
  NodeId peer_;
  const std::string nonce_;
  std::string peer_nonce_;
  State state_ = State::kAwaitsChallenge;
};

}  // namespace troupe::internal

#endif  // TROUPE_CLUSTER_INTERNAL_INTRODUCTION_H_
