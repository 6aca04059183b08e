#include "server/listen/listener.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <iterator>
#include <system_error>
#include <utility>

#include "server/listen/socket_address.hpp"

namespace deployd::server {
namespace {

[[noreturn]] void fail(std::string const& name, int error) {
  std::string line = "cannot listen on " + name + ": ";
  if (error == EADDRINUSE)
    line += "another process listens there";
  else if (error == ENOTSOCK)
    line += "there is a file of that name that is no socket";
  else
    line += std::system_category().message(error);
  throw ListenError(line, error == EADDRINUSE);
}

SocketAddress to_socket_address(UnixAddress const& address, std::string const& name) try {
  return boost::asio::local::stream_protocol::endpoint(address.path);
} catch (boost::system::system_error const&) {
  fail(name, ENAMETOOLONG);
}

base::FileDescriptor open_socket(int family, std::string const& name) {
  base::FileDescriptor socket(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (socket.get() < 0) fail(name, errno);
  return socket;
}

void switch_on(base::FileDescriptor const& socket, int level, int option) noexcept {
  int const on = 1;
  ::setsockopt(socket.get(), level, option, &on, sizeof(on));
}

base::FileDescriptor bind_tcp(TcpAddress const& address, bool share_port, std::string const& name) {
  bool const v6 = address.address().is_v6();
  auto socket = open_socket(v6 ? AF_INET6 : AF_INET, name);
  switch_on(socket, SOL_SOCKET, SO_REUSEADDR);
  if (share_port) switch_on(socket, SOL_SOCKET, SO_REUSEPORT);
  if (v6) switch_on(socket, IPPROTO_IPV6, IPV6_V6ONLY);
  switch_on(socket, IPPROTO_TCP, TCP_NODELAY);  // accepted sockets inherit it
  if (::bind(socket.get(), address.data(), static_cast<socklen_t>(address.size())) != 0) fail(name, errno);
  return socket;
}

void start_listening(base::FileDescriptor const& socket, std::string const& name) {
  if (::listen(socket.get(), SOMAXCONN) != 0) fail(name, errno);
}

/// Returns 0 if a process listens on a Unix domain socket, otherwise the error of connecting to it.
int try_to_connect(SocketAddress const& address, std::string const& name) {
  auto const probe = open_socket(AF_UNIX, name);
  if (::connect(probe.get(), address.data(), static_cast<socklen_t>(address.size())) == 0) return 0;
  return errno == EAGAIN ? 0 : errno;  // EAGAIN: the backlog is full
}

/// True for `:8080`.
bool is_all_addresses(ListenAddress const& address) noexcept {
  auto const* const host = std::get_if<HostAddress>(&address);
  return host != nullptr && host->name.empty();
}

/// Returns the name under which all processes know an address, however it was written.
std::string key_of(UnixAddress const& address) {
  return "unix:" + std::filesystem::absolute(address.path).lexically_normal().string();
}

}  // namespace

std::string to_string(ListenAddress const& address) {
  if (auto const* local = std::get_if<UnixAddress>(&address)) return "unix:" + local->path;
  if (auto const* host = std::get_if<HostAddress>(&address)) return host->name + ":" + std::to_string(host->port);
  return to_text(std::get<TcpAddress>(address));
}

std::optional<std::uint16_t> port_of(ListenAddress const& address) noexcept {
  if (auto const* const tcp = std::get_if<TcpAddress>(&address)) return tcp->port();
  if (auto const* const host = std::get_if<HostAddress>(&address)) return host->port;
  return std::nullopt;
}

bool overlap(ListenAddress const& one, ListenAddress const& other) {
  auto const port = port_of(one);
  if (port && port == port_of(other) && *port != 0 && (is_all_addresses(one) || is_all_addresses(other))) return true;
  if (one.index() != other.index()) return false;
  if (auto const* const local = std::get_if<UnixAddress>(&one))
    return key_of(*local) == key_of(std::get<UnixAddress>(other));
  if (auto const* const host = std::get_if<HostAddress>(&one))
    return port != 0 && port == port_of(other) && host->name == std::get<HostAddress>(other).name;
  auto const& first = std::get<TcpAddress>(one);
  auto const& second = std::get<TcpAddress>(other);
  if (first.protocol() != second.protocol() || first.port() != second.port() || first.port() == 0) return false;
  return first == second || first.address().is_unspecified() || second.address().is_unspecified();
}

std::vector<Listener> listen_on_each(std::vector<ListenAddress> endpoints,
                                     std::function<Listener(ListenAddress const&)> const& listen) {
  std::vector<Listener> listeners;
  for (auto& endpoint : endpoints) {
    auto* const tcp = std::get_if<TcpAddress>(&endpoint);
    if (tcp != nullptr && !listeners.empty()) tcp->port(listeners.front().port());
    listeners.push_back(listen(endpoint));
  }
  return listeners;
}

std::vector<ListeningSocket> take_of_each(std::vector<Listener> const& listeners, unsigned worker, unsigned workers) {
  std::vector<ListeningSocket> sockets;
  for (auto const& listener : listeners) std::ranges::move(listener.take(worker, workers), std::back_inserter(sockets));
  return sockets;
}

std::string names_of(std::vector<Listener> const& listeners) {
  std::string names;
  for (auto const& listener : listeners) {
    if (!names.empty()) names += ", ";
    names += listener.name();
  }
  return names;
}

Listener::Listener(ListenAddress const& address, unsigned workers, bool take_over, Sharing sharing)
    : name_(to_string(address)), sharing_(sharing) {
  if (auto const* tcp = std::get_if<TcpAddress>(&address))
    listen_tcp(*tcp, workers, take_over);
  else
    listen_unix(std::get<UnixAddress>(address), take_over);
}

Listener::Listener(PassedSocket passed) : name_(to_text(local_address(passed.socket.get()))) {
  auto const fd = passed.socket.get();
  ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
  // Fails for a Unix domain socket, which does not have this option.
  switch_on(passed.socket, IPPROTO_TCP, TCP_NODELAY);
  sockets_.push_back(std::move(passed.socket));
}

Listener::~Listener() {
  if (unix_path_.empty()) return;
  close();
  // Another deployd may have taken over the socket and its file.
  try {
    if (try_to_connect(to_socket_address(UnixAddress{unix_path_}, name_), name_) != 0) ::unlink(unix_path_.c_str());
  } catch (ListenError const&) {
  }
}

std::vector<ListeningSocket> Listener::take(unsigned worker, unsigned workers) const {
  std::vector<ListeningSocket> taken;
  bool const shared = workers > sockets_.size();
  auto const places = std::max<std::size_t>(workers, sockets_.size());
  try {
    for (std::size_t place = worker; place < places; place += workers)
      taken.push_back({sockets_[place % sockets_.size()].duplicate(), shared});
  } catch (std::system_error const& error) {
    fail(name_, error.code().value());
  }
  return taken;
}

void Listener::offer_on(boost::asio::io_context& loop) {
  if (key_.empty()) return;
  HandedSockets handed;
  handed.offer = std::move(offer_place_);
  for (auto const& socket : sockets_) handed.listening.push_back(socket.duplicate());
  offer_ = std::make_unique<SocketOffer>(loop, key_, sharing_, std::move(handed));
}

void Listener::close() noexcept {
  offer_.reset();
  sockets_.clear();
}

/// Gets the sockets of the deployd that listens on the address. Returns false if none hands them over.
bool Listener::take_over_from_another() {
  auto handed = ask_for_sockets(key_, sharing_);
  if (handed.listening.empty()) return false;
  offer_place_ = std::move(handed.offer);
  sockets_ = std::move(handed.listening);
  turn_ = std::move(handed.turn);
  spdlog::info("sharing {} with the deployd that listens there", name_);
  return true;
}

void Listener::listen_tcp(TcpAddress address, unsigned workers, bool take_over) {
  port_ = address.port();
  key_ = name_;
  if (take_over && take_over_from_another()) return;
  bool const share_port = sharing_ == Sharing::both;
  // Binding without SO_REUSEPORT detects whether another process listens.
  if (share_port && !take_over && address.port() != 0) bind_tcp(address, false, name_);
  for (unsigned worker = 0; worker < workers; ++worker) {
    sockets_.push_back(bind_tcp(address, share_port, name_));
    if (worker == 0) address = to_tcp(local_address(sockets_.front().get())).value_or(address);
  }
  port_ = address.port();
  key_ = name_ = to_string(address);
  for (auto const& socket : sockets_) start_listening(socket, name_);
}

void Listener::listen_unix(UnixAddress const& address, bool take_over) {
  auto const wanted = to_socket_address(address, name_);
  key_ = key_of(address);
  if (take_over && take_over_from_another()) {
    unix_path_ = address.path;
    return;
  }
  auto const refusal = try_to_connect(wanted, name_);
  if (refusal == 0) fail(name_, EADDRINUSE);
  if (refusal == ECONNREFUSED) {
    std::error_code ignored;
    if (!std::filesystem::is_socket(address.path, ignored)) fail(name_, ENOTSOCK);
    ::unlink(address.path.c_str());  // left by a process that has ended
  }

  auto socket = open_socket(AF_UNIX, name_);
  if (::bind(socket.get(), wanted.data(), static_cast<socklen_t>(wanted.size())) != 0) fail(name_, errno);
  unix_path_ = address.path;
  start_listening(socket, name_);
  sockets_.push_back(std::move(socket));
}

}  // namespace deployd::server
