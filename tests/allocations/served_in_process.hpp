// The server inside of the test program, to look at what it does to the process.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <thread>

#include "tests/integration/http_connection.hpp"
#include "tests/integration/tls_server.hpp"
#include "tests/process.hpp"

namespace deployd::tests {

/// `serve` with one worker on a thread of this program, over SQLite. It is ended by a signal to the process.
class ServedInProcess {
 public:
  /// A store with `patterns` of `deployments_each`, named PATTERN_1 and so on.
  ServedInProcess(int patterns, int deployments_each, std::size_t cache_bytes);
  ~ServedInProcess();

  HttpConnection connect() const { return HttpConnection(socket_); }

  /// An address on which TLS is spoken, with a certificate that `client` trusts.
  HttpConnection connect_secured() { return HttpConnection(tls_port_, client_); }

  /// The field line with a token that the server takes.
  std::string const& authorization() const noexcept { return authorization_; }

  /// The same with an API token of the store.
  std::string const& api_token() const noexcept { return api_token_; }

  /// How many connections there may be.
  static constexpr std::size_t most_connections = 16;

 private:
  TemporaryDirectory directory_;
  std::string socket_ = (directory_.path() / "socket").string();
  TlsFilesOnDisk files_;
  TlsClient client_{files_.authority.certificate()};
  std::uint16_t tls_port_ = 0;
  std::string authorization_;
  std::string api_token_;
  std::thread server_;
};

}  // namespace deployd::tests
