// A client that sends bytes as they are and takes answers apart.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/integration/tls_client.hpp"

namespace deployd::tests {

/// One answer as it came.
struct HttpAnswer {
  unsigned status = 0;
  std::string head;  // status line and fields, without the empty line
  std::vector<std::pair<std::string, std::string>> fields;
  std::string body;  // without the framing of chunks
  bool chunked = false;

  bool has(std::string_view name) const noexcept;
  /// The value of a field, or `(none)`. Throws when it stands more than once.
  std::string operator[](std::string_view name) const;
};

/// A connection to a server on 127.0.0.1. Everything awaited has a deadline, past which it throws std::runtime_error.
class HttpConnection {
 public:
  /// `receive_buffer` in bytes, 0 for the kernel's own size.
  explicit HttpConnection(std::uint16_t port, int receive_buffer = 0);
  /// From this address, as 127.0.0.2.
  HttpConnection(std::uint16_t port, std::string const& source);
  explicit HttpConnection(std::string const& unix_path);
  /// Over TLS. Throws when the handshake fails.
  HttpConnection(std::uint16_t port, TlsClient& client, int receive_buffer = 0);
  ~HttpConnection();
  HttpConnection(HttpConnection&& other) noexcept;
  HttpConnection& operator=(HttpConnection&&) = delete;

  void send(std::string_view bytes);

  /// Says that nothing more will be sent.
  void finish_sending();

  /// Reads one answer. `to_head`: the request was HEAD, so that no body follows.
  HttpAnswer read_answer(bool to_head = false);

  HttpAnswer ask(std::string_view request) {
    send(request);
    return read_answer(request.starts_with("HEAD "));
  }

  /// Reads at least `count` bytes that are then no part of an answer any more.
  void skip(std::size_t count);

  /// Everything up to the end of the connection. An answer that was cut ends as one that is complete: see `reset`.
  std::string read_to_end();

  /// True if data, or the end of the connection, can be read before the deadline.
  bool has_bytes_within(std::chrono::milliseconds deadline);

  /// True if the connection ends before the deadline without further bytes.
  bool ends_within(std::chrono::milliseconds deadline);

  /// True if the connection was reset.
  bool reset() const noexcept { return reset_; }

  /// For what concerns TLS alone.
  TlsConnection& tls() { return *tls_; }

  /// Past TLS, where there is any.
  void send_raw(std::string_view bytes);

 private:
  void connect(std::uint16_t port);

  bool read_some(std::chrono::steady_clock::time_point deadline);
  [[noreturn]] void fail_at_end() const;
  std::string take(std::size_t count);
  std::string take_line();

  int socket_ = -1;
  std::unique_ptr<TlsConnection> tls_;
  std::string buffer_;
  bool reset_ = false;
};

}  // namespace deployd::tests
