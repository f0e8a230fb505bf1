// A link as the connection that its owner has.
#ifndef TROUPE_CLUSTER_GRPC_INTERNAL_LINK_CONNECTION_H_
#define TROUPE_CLUSTER_GRPC_INTERNAL_LINK_CONNECTION_H_

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "troupe/cluster/grpc/internal/link.h"
#include "troupe/cluster/transport.h"

namespace troupe::internal {

class LinkConnection final : public Connection {
 public:
  explicit LinkConnection(std::shared_ptr<Link> link)
      : link_(std::move(link)) {}
  ~LinkConnection() override { link_->Drop(); }

  void Send(TransportLane lane, std::string frame) override {
    link_->Send(lane, std::move(frame));
  }
  void Close(const absl::Status& why) override { link_->Close(why); }
  std::string peer() const override { return link_->peer(); }
  std::optional<std::vector<std::string>> proven_names() const override {
    return link_->proven_names();
  }

 private:
  const std::shared_ptr<Link> link_;
};

}  // namespace troupe::internal

#endif  // TROUPE_CLUSTER_GRPC_INTERNAL_LINK_CONNECTION_H_
