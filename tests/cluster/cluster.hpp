// Three deployd that know nothing of each other, over one PostgreSQL and behind one HAProxy.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/cluster/haproxy.hpp"
#include "tests/integration/running_deployd.hpp"

namespace deployd::tests {

class Cluster {
 public:
  static constexpr std::size_t size = 3;

  /// All three serve, and HAProxy knows.
  Cluster();

  std::uint16_t port() const noexcept { return haproxy_->port(); }
  std::string const& token() const noexcept { return token_; }
  std::string const& database() const noexcept { return store_.url(); }
  Haproxy const& haproxy() const noexcept { return *haproxy_; }

  /// Ends a server as its service manager does, starts it again, and waits until it is given requests.
  void restart(std::size_t server);
  /// Ends it as a crash does.
  void kill(std::size_t server);
  void start(std::size_t server);
  void wait_until_up(std::size_t server) const;

  /// Changes a deployment, and how long it took from the commit until each server answered with the change.
  std::chrono::milliseconds time_until_seen_by_all(std::string const& name) const;

 private:
  FilledStore store_;
  std::string token_;
  std::vector<std::uint16_t> ports_;
  std::vector<std::unique_ptr<Process>> servers_;
  std::unique_ptr<Haproxy> haproxy_;
};

}  // namespace deployd::tests
