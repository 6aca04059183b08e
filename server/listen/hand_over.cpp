#include "server/listen/hand_over.hpp"

#include <spdlog/spdlog.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/local/stream_protocol.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <span>
#include <string_view>
#include <system_error>
#include <utility>

#include "server/listen/socket_address.hpp"

namespace deployd::server {
namespace {

// The number of descriptors in one message (the kernel's SCM_MAX_FD is 253).
constexpr std::size_t most_descriptors = 128;

// The maximum length of the text in a message: an address, of which that of a Unix domain socket is the longest.
constexpr std::size_t longest_address = 256;

constexpr timeval patience{1, 0};

/// Returns the key of a request: sockets of one kind are not handed over for the other.
std::string key_of(std::string const& address, Sharing sharing) {
  return sharing == Sharing::in_turn ? "exclusive:" + address : address;
}

/// Returns the abstract address at which the sockets of an address are offered. Long keys keep their end, which differs
/// more than their beginning; the message contains the full key.
SocketAddress place_of(std::string_view key) {
  std::string name("\0deployd:", 9);  // the zero byte stands for the abstract namespace
  auto const room = sizeof(sockaddr_un::sun_path) - 1 - name.size();
  name += key.substr(key.size() - std::min(key.size(), room));
  return boost::asio::local::stream_protocol::endpoint(name);
}

base::FileDescriptor open_socket(int flags) {
  return base::FileDescriptor(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | flags, 0));
}

/// True if the peer process may receive or hand over sockets. Any process can bind an abstract name, so this is
/// checked.
bool is_ours(int connection) noexcept {
  ucred peer{};
  socklen_t size = sizeof(peer);
  if (::getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return false;
  return peer.uid == ::geteuid() || peer.uid == 0;
}

union ControlBuffer {
  cmsghdr header;
  std::array<char, CMSG_SPACE(most_descriptors * sizeof(int))> bytes;
};

bool send_descriptors(int connection, std::string const& key, std::span<int const> descriptors) {
  ControlBuffer control{};
  iovec text{const_cast<char*>(key.data()), key.size()};
  msghdr message{};
  message.msg_iov = &text;
  message.msg_iovlen = 1;
  message.msg_control = &control;
  message.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
  auto* const header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(descriptors.size_bytes());
  std::memcpy(CMSG_DATA(header), descriptors.data(), descriptors.size_bytes());
  return ::sendmsg(connection, &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;
}

enum class Received { some, all, nothing_good };

/// Appends the descriptors of one message, which must be about `key`.
Received receive_descriptors(int connection, std::string const& key, std::vector<base::FileDescriptor>& all) {
  ControlBuffer control{};
  std::array<char, longest_address> buffer{};
  iovec text{buffer.data(), buffer.size()};
  msghdr message{};
  message.msg_iov = &text;
  message.msg_iovlen = 1;
  message.msg_control = &control;
  message.msg_controllen = sizeof(control);
  auto const received = ::recvmsg(connection, &message, MSG_CMSG_CLOEXEC);
  if (received == 0) return Received::all;
  if (received < 0) return Received::nothing_good;
  for (auto* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    std::vector<int> descriptors((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
    std::memcpy(descriptors.data(), CMSG_DATA(header), descriptors.size() * sizeof(int));
    for (int const fd : descriptors) all.emplace_back(fd);
  }
  bool const meant = std::string_view(buffer.data(), static_cast<std::size_t>(received)) == key;
  return meant ? Received::some : Received::nothing_good;
}

base::FileDescriptor open_place(std::string const& address, Sharing sharing) {
  auto const place = place_of(key_of(address, sharing));
  auto socket = open_socket(SOCK_NONBLOCK);
  if (::bind(socket.get(), place.data(), static_cast<socklen_t>(place.size())) == 0 && ::listen(socket.get(), 16) == 0)
    return socket;
  spdlog::warn("the sockets of {} cannot be offered to another deployd: {}", address,
               std::system_category().message(errno));
  return {};
}

}  // namespace

HandedSockets ask_for_sockets(std::string const& address, Sharing sharing) {
  auto const key = key_of(address, sharing);
  auto const place = place_of(key);
  auto connection = open_socket(0);
  for (int const limit : {SO_RCVTIMEO, SO_SNDTIMEO})
    ::setsockopt(connection.get(), SOL_SOCKET, limit, &patience, sizeof(patience));
  if (::connect(connection.get(), place.data(), static_cast<socklen_t>(place.size())) != 0 ||
      !is_ours(connection.get()))
    return {};
  std::vector<base::FileDescriptor> all;
  auto state = receive_descriptors(connection.get(), key, all);
  // The end of the connection means that this was all, or, with `in_turn`, that the other process has released the
  // sockets.
  while (sharing == Sharing::both && state == Received::some) state = receive_descriptors(connection.get(), key, all);
  if (state == Received::nothing_good || all.size() < 2) return {};
  HandedSockets sockets;
  sockets.offer = std::move(all.front());
  std::move(all.begin() + 1, all.end(), std::back_inserter(sockets.listening));
  if (sharing == Sharing::in_turn) sockets.turn = std::move(connection);
  return sockets;
}

SocketOffer::SocketOffer(boost::asio::io_context& loop, std::string address, Sharing sharing, HandedSockets sockets)
    : address_(std::move(address)), sharing_(sharing), listening_(std::move(sockets.listening)), place_(loop) {
  auto place = sockets.offer.get() >= 0 ? std::move(sockets.offer) : open_place(address_, sharing_);
  if (place.get() < 0) return;
  place_.assign(place.release());
  await();
}

void SocketOffer::await() {
  place_.async_wait(boost::asio::posix::descriptor_base::wait_read, [this](boost::system::error_code failure) {
    if (failure) return;
    await();  // first: answering may fail because memory runs out
    answer_all();
  });
}

void SocketOffer::answer_all() {
  while (true) {
    base::FileDescriptor asking(::accept4(place_.native_handle(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (asking.get() < 0) return;
    if (is_ours(asking.get())) give_to(std::move(asking));
  }
}

void SocketOffer::give_to(base::FileDescriptor asking) {
  std::vector<int> descriptors{place_.native_handle()};
  for (auto const& socket : listening_) descriptors.push_back(socket.get());
  auto const key = key_of(address_, sharing_);
  std::span<int const> left = descriptors;
  while (!left.empty()) {
    auto const some = left.first(std::min(left.size(), most_descriptors));
    if (!send_descriptors(asking.get(), key, some)) return;
    left = left.subspan(some.size());
  }
  spdlog::info("the sockets of {} are shared with a deployd that takes over", address_);
  if (sharing_ == Sharing::in_turn) waiting_.push_back(std::move(asking));
}

bool SocketOffer::is_awaited() const noexcept {
  // Nothing is sent on these connections, so only a closed one is readable.
  return std::ranges::any_of(waiting_, [](base::FileDescriptor const& connection) {
    char nothing = 0;
    return ::recv(connection.get(), &nothing, 1, MSG_PEEK | MSG_DONTWAIT) < 0;
  });
}

}  // namespace deployd::server
