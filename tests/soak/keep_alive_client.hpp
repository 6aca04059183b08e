// A client with one connection that it keeps, and that believes nothing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace deployd::tests {

struct HttpAnswer {
  unsigned status = 0;
  std::string head;  // with the empty line at its end
  std::string body;  // chunks put together
  bool chunked = false;

  /// The value of a header field, by its name as the server writes it; empty when there is none.
  std::string field(std::string_view name) const;
};

/// Blocking. Throws std::runtime_error for anything that is no whole HTTP/1.1 answer.
class KeepAliveClient {
 public:
  explicit KeepAliveClient(std::uint16_t port);
  ~KeepAliveClient();
  KeepAliveClient(KeepAliveClient const&) = delete;
  KeepAliveClient& operator=(KeepAliveClient const&) = delete;

  /// `lines` are further header lines, each with its CRLF.
  HttpAnswer ask(std::string_view method, std::string_view target, std::string_view lines);

 private:
  void send_all(std::string_view bytes) const;
  void receive_more();
  std::string take(std::size_t size);
  std::string take_through(std::string_view end);

  int socket_;
  std::string buffer_;
};

}  // namespace deployd::tests
