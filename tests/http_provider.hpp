// A server of another program, such as an identity provider, that answers as a test says.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/certificates.hpp"

namespace deployd::tests {

/// What a provider sends.
struct Provided {
  std::string body = {};
  unsigned status = 200;
  std::string lines = {};      // more field lines, each ending in CRLF
  bool stalls = false;         // sends nothing and keeps the connection open until the provider ends
  bool cut = false;            // sends half of the body that it has announced
  bool stalls_midway = false;  // sends half of the body and keeps the connection open until the provider ends
  bool chunked = false;        // sends the body in chunks, without its length
};

/// Serves on a free port of 127.0.0.1, each connection on a thread of its own. All members may be called from any
/// thread.
class HttpProvider {
 public:
  /// What to answer to a request for `target` with this head (request line and fields).
  using Respond = std::function<Provided(std::string const& target, std::string const& head)>;

  /// By https with the certificate of `pair`; without one by http.
  explicit HttpProvider(Respond respond, CertificateAndKey const& pair = {});
  ~HttpProvider();
  HttpProvider(HttpProvider const&) = delete;
  HttpProvider& operator=(HttpProvider const&) = delete;

  /// `https://localhost:PORT/path`
  std::string url(std::string_view path) const;
  std::uint16_t port() const noexcept { return port_; }

  void respond(Respond respond);
  /// Shows another certificate from now on.
  void present(CertificateAndKey const& pair);

  /// Closes the port and all connections, and opens it again.
  void die();
  void revive();

  /// The requests so far for a target.
  std::size_t count(std::string_view target) const;
  /// The head of the last request.
  std::string last_head() const;

 private:
  struct Connection;
  struct Tls;

  void listen();
  void accept_all(int listening);
  void serve(Connection& connection);
  Provided answer_to(std::string const& head);

  mutable std::mutex mutex_;
  Respond respond_;
  std::shared_ptr<Tls> tls_;
  bool is_tls_ = false;
  std::vector<std::string> targets_;
  std::string last_head_;
  std::list<Connection> connections_;
  std::uint16_t port_ = 0;
  int listening_ = -1;
  std::thread acceptor_;
};

}  // namespace deployd::tests
