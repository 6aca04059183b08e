#include "tests/soak/keep_alive_client.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace deployd::tests {

std::string HttpAnswer::field(std::string_view name) const {
  auto const line = "\r\n" + std::string(name) + ": ";
  auto const at = head.find(line);
  if (at == head.npos) return {};
  auto const start = at + line.size();
  return head.substr(start, head.find("\r\n", start) - start);
}

KeepAliveClient::KeepAliveClient(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  timeval const limit{30, 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0)
    throw std::runtime_error(std::string("connect: ") + std::strerror(errno));
}

KeepAliveClient::~KeepAliveClient() {
  ::close(socket_);
}

HttpAnswer KeepAliveClient::ask(std::string_view method, std::string_view target, std::string_view lines) {
  std::string request(method);
  request.append(" ").append(target).append(" HTTP/1.1\r\nHost: 127.0.0.1\r\n").append(lines).append("\r\n");
  send_all(request);
  HttpAnswer answer;
  answer.head = take_through("\r\n\r\n");
  if (!answer.head.starts_with("HTTP/1.1 ")) throw std::runtime_error("no status line: " + answer.head);
  answer.status = static_cast<unsigned>(std::stoul(answer.head.substr(9, 3)));
  answer.chunked = answer.field("Transfer-Encoding") == "chunked";
  if (method == "HEAD" || answer.status == 204 || answer.status == 304) return answer;
  if (!answer.chunked) {
    answer.body = take(std::stoul(answer.field("Content-Length")));
    return answer;
  }
  while (auto const size = std::stoul(take_through("\r\n"), nullptr, 16)) {
    answer.body += take(size);
    if (take(2) != "\r\n") throw std::runtime_error("a chunk does not end where it says");
  }
  if (take(2) != "\r\n") throw std::runtime_error("the last chunk has something behind it");
  return answer;
}

void KeepAliveClient::send_all(std::string_view bytes) const {
  while (!bytes.empty()) {
    auto const sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) throw std::runtime_error(std::string("send: ") + std::strerror(errno));
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

void KeepAliveClient::receive_more() {
  std::array<char, 65536> piece;
  auto const received = ::recv(socket_, piece.data(), piece.size(), 0);
  if (received == 0) throw std::runtime_error("the server closed the connection within an answer");
  if (received < 0) throw std::runtime_error(std::string("recv: ") + std::strerror(errno));
  buffer_.append(piece.data(), static_cast<std::size_t>(received));
}

std::string KeepAliveClient::take(std::size_t size) {
  while (buffer_.size() < size) receive_more();
  auto taken = buffer_.substr(0, size);
  buffer_.erase(0, size);
  return taken;
}

std::string KeepAliveClient::take_through(std::string_view end) {
  auto at = buffer_.find(end);
  while (at == buffer_.npos) {
    receive_more();
    at = buffer_.find(end);
  }
  return take(at + end.size());
}

}  // namespace deployd::tests
