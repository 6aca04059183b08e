// A connection whose loop is turned by hand, and whose sweep sees the time that the test says.
#pragma once

#include <chrono>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "routing/api.hpp"
#include "server/http/connection.hpp"
#include "server/http/connection_context.hpp"
#include "server/tls/context.hpp"
#include "tests/storage/store_under_test.hpp"

namespace deployd::server {

/// One end of a socket pair served by a Connection; the test holds the other.
class DrivenConnection {
 public:
  struct Limits {
    std::chrono::milliseconds write_timeout{30'000};
    std::chrono::milliseconds stream_timeout{600'000};
    std::size_t stream_min_rate = 64 * 1024;
  };

  /// `deployments` are in the store. With `tls` the connection begins with a handshake.
  explicit DrivenConnection(int deployments, std::shared_ptr<TlsContext const> tls = nullptr)
      : DrivenConnection(deployments, std::move(tls), Limits{}) {}
  DrivenConnection(int deployments, std::shared_ptr<TlsContext const> tls, Limits limits);
  ~DrivenConnection();
  DrivenConnection(DrivenConnection const&) = delete;
  DrivenConnection& operator=(DrivenConnection const&) = delete;

  /// A request for the deployments, with a token that is accepted.
  std::string request(std::string_view target = "/api/v1/deployments") const;

  void send(std::string_view bytes);
  /// Everything that can be read now.
  std::string read(std::size_t most = std::size_t{1} << 20);

  /// Runs what is ready, including what becomes ready by it.
  void turn();

  /// Has the sweep look at the connection, so long after now.
  void sweep(Clock::duration later = std::chrono::hours(24));

  /// `before` happens, then the sweep looks, both before the connection can notice either.
  void sweep_behind(std::string_view bytes_before);

  bool ended() const noexcept { return ended_; }
  ConnectionPhase phase() const noexcept { return connection_->phase(); }
  int peer() const noexcept { return peer_; }
  storage::StoreUnderTest& store() noexcept { return store_; }
  Connection& connection() noexcept { return *connection_; }

 private:
  storage::StoreUnderTest store_{storage::Kind::sqlite};
  std::optional<auth::Authenticator> authenticator_;
  std::optional<routing::Api> api_;
  std::shared_ptr<TlsContext const> tls_;
  std::unique_ptr<ConnectionContext> context_;
  std::unique_ptr<Connection> connection_;
  std::string authorization_;
  int peer_ = -1;
  bool ended_ = false;
};

}  // namespace deployd::server
