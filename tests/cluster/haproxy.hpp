// A real HAProxy for tests, with the sample configuration that deployd comes with.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/process.hpp"

namespace deployd::tests {

class Haproxy {
 public:
  /// HTTPS to the servers, with the sample's line for it.
  struct Tls {
    std::string authorities;  // whose certificates are good, in PEM
    std::string name;         // that the servers' certificates bear
  };

  /// Before the servers on these ports of 127.0.0.1, three of them as in the sample. Throws when it does not start.
  explicit Haproxy(std::vector<std::uint16_t> const& servers, std::optional<Tls> const& tls = std::nullopt);

  std::uint16_t port() const noexcept { return port_; }

  /// True if its health checks report the server as ready.
  bool up(std::size_t server) const;
  /// How many requests were given to another server than they were given to first.
  std::uint64_t redispatched() const;

 private:
  /// A column of the statistics of a server, or of all for `BACKEND`.
  std::string statistic(std::string const& server, std::size_t column) const;

  TemporaryDirectory directory_;
  std::uint16_t port_ = 0;
  std::unique_ptr<Process> haproxy_;
};

}  // namespace deployd::tests
