#include "tests/bench/scripted_server.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>

namespace deployd::tests {

struct ScriptedServer::Peer {
  int socket;
  std::string received;
};

namespace {

void send_all(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    auto const sent = send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

void close_with_reset(int socket) {
  linger const at_once{1, 0};
  setsockopt(socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

}  // namespace

std::string answer(std::string_view body, std::string_view status, std::string_view type, std::string_view fields) {
  std::string text = "HTTP/1.1 ";
  text.append(status).append("\r\nContent-Type: ").append(type).append("\r\nContent-Length: ");
  text.append(std::to_string(body.size())).append("\r\n").append(fields).append("\r\n").append(body);
  return text;
}

ScriptedServer::ScriptedServer(Script script) : script_(std::move(script)) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (bind(listener_, generic, size) != 0 || listen(listener_, 1024) != 0 ||
      getsockname(listener_, generic, &size) != 0 || pipe2(stop_, O_CLOEXEC) != 0)
    throw std::runtime_error("the scripted server cannot listen");
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { serve(); });
}

ScriptedServer::~ScriptedServer() {
  close(stop_[1]);
  thread_.join();
  close(stop_[0]);
  close(listener_);
}

std::string ScriptedServer::url(std::string_view target) const {
  return "http://127.0.0.1:" + std::to_string(port_) + std::string(target);
}

std::vector<std::string> ScriptedServer::requests() const {
  std::lock_guard const lock(mutex_);
  return requests_;
}

std::uint64_t ScriptedServer::connections() const {
  std::lock_guard const lock(mutex_);
  return connections_;
}

std::uint64_t ScriptedServer::deepest() const {
  std::lock_guard const lock(mutex_);
  return deepest_;
}

void ScriptedServer::serve() {
  std::vector<Peer> peers;
  while (true) {
    std::vector<pollfd> polled{{stop_[0], POLLIN, 0}, {listener_, POLLIN, 0}};
    for (auto const& peer : peers) polled.push_back({peer.socket, POLLIN, 0});
    poll(polled.data(), polled.size(), -1);
    if (polled[0].revents != 0) break;
    for (std::size_t i = peers.size(); i-- > 0;) {
      if (polled[i + 2].revents == 0 || take_requests(peers[i])) continue;
      close(peers[i].socket);
      peers.erase(peers.begin() + static_cast<std::ptrdiff_t>(i));
    }
    if (polled[1].revents != 0) {
      peers.push_back({accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC), {}});
      std::lock_guard const lock(mutex_);
      ++connections_;
    }
  }
  for (auto const& peer : peers) close(peer.socket);
}

// False when the connection has ended.
bool ScriptedServer::take_requests(Peer& peer) {
  char buffer[65536];
  auto const size = recv(peer.socket, buffer, sizeof buffer, 0);
  if (size <= 0) return false;
  peer.received.append(buffer, static_cast<std::size_t>(size));
  for (std::uint64_t depth = 1;; ++depth) {
    auto const end = peer.received.find("\r\n\r\n");
    if (end == std::string::npos) return true;
    auto const head = peer.received.substr(0, end + 4);
    peer.received.erase(0, end + 4);
    std::uint64_t number = 0;
    {
      std::lock_guard const lock(mutex_);
      number = requests_.size();
      requests_.push_back(head);
      deepest_ = std::max(deepest_, depth);
    }
    auto const scripted = script_(head, number);
    if (scripted.delay.count() > 0) poll(nullptr, 0, static_cast<int>(scripted.delay.count()));
    send_all(peer.socket, scripted.bytes);
    if (scripted.reset) close_with_reset(peer.socket);
    if (scripted.close || scripted.reset) return false;
  }
}

}  // namespace deployd::tests
