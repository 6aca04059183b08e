// The floor: the minimum cost on one core of waiting for requests, reading them and writing responses. An epoll loop
// with a constant response that parses nothing and only counts blank lines, for comparison with deployd.
//
//   bench-floor PORT [BODY_FILE]      answers every request on 127.0.0.1:PORT with the bytes of the file (without a
//                                     file: one deployment), and keeps connections open.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace {

struct Peer {
  std::size_t matched = 0;  // how much of the blank line that ends a request has arrived
  std::string unsent;       // bytes that did not fit into the kernel's buffer
};

int listen_on(int port) {
  int const listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  int const on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<in_port_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 || listen(listener, 4096) != 0) {
    std::perror("bench-floor");
    std::exit(69);
  }
  return listener;
}

std::size_t count_requests(std::string_view bytes, std::size_t& matched) {
  constexpr std::string_view end = "\r\n\r\n";
  if (matched == 0 && bytes.ends_with(end) && bytes.find(end) == bytes.size() - end.size()) return 1;
  std::size_t found = 0;
  for (char const byte : bytes) {
    matched = byte == end[matched] ? matched + 1 : (byte == '\r' ? 1 : 0);
    if (matched == end.size()) {
      ++found;
      matched = 0;
    }
  }
  return found;
}

// Sends `text` after the bytes that are still unsent. Returns false if the connection is broken.
bool send_some(int socket, Peer& peer, std::string_view text) {
  if (!peer.unsent.empty()) {
    peer.unsent += text;
    text = peer.unsent;
  }
  auto const sent = send(socket, text.data(), text.size(), MSG_NOSIGNAL);
  if (sent < 0 && errno != EAGAIN) return false;
  std::string rest(text.substr(sent < 0 ? 0 : static_cast<std::size_t>(sent)));
  peer.unsent.swap(rest);
  return true;
}

std::string answer_with(char const* file) {
  std::string body = R"({"id":1,"pattern_id":1,"name":"deployment-1"})";
  if (file != nullptr) {
    std::ifstream stream(file, std::ios::binary);
    body.assign(std::istreambuf_iterator<char>(stream), {});
  }
  return "HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2 || argc > 3) return std::fputs("usage: bench-floor PORT [BODY_FILE]\n", stderr), 64;
  auto const answer = answer_with(argc == 3 ? argv[2] : nullptr);
  int const listener = listen_on(std::atoi(argv[1]));
  int const epoll = epoll_create1(0);
  epoll_event event{EPOLLIN, {.fd = listener}};
  epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
  std::vector<Peer> peers;
  std::vector<epoll_event> events(256);
  std::vector<char> buffer(64 << 10);
  std::string answers;
  while (true) {
    int const ready = epoll_wait(epoll, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < ready; ++i) {
      int const peer = events[static_cast<std::size_t>(i)].data.fd;
      if (peer == listener) {
        int const accepted = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK);
        if (accepted < 0) continue;
        int const on = 1;
        setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        if (static_cast<std::size_t>(accepted) >= peers.size()) peers.resize(static_cast<std::size_t>(accepted) + 64);
        peers[static_cast<std::size_t>(accepted)] = Peer();
        event = {EPOLLIN | EPOLLOUT | EPOLLET, {.fd = accepted}};
        epoll_ctl(epoll, EPOLL_CTL_ADD, accepted, &event);
        continue;
      }
      auto& state = peers[static_cast<std::size_t>(peer)];
      ssize_t size = 0;
      answers.clear();
      do {
        size = recv(peer, buffer.data(), buffer.size(), 0);
        if (size <= 0) break;
        auto const requests = count_requests({buffer.data(), static_cast<std::size_t>(size)}, state.matched);
        for (std::size_t n = 0; n < requests; ++n) answers += answer;
      } while (static_cast<std::size_t>(size) == buffer.size());
      bool open = size > 0 || (size < 0 && errno == EAGAIN);
      if (open && !(answers.empty() && state.unsent.empty())) open = send_some(peer, state, answers);
      if (!open) close(peer);
    }
  }
}
