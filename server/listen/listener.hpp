// Listening sockets.
#pragma once

#include <boost/asio/io_context.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/file_descriptor.hpp"
#include "server/failure.hpp"
#include "server/listen/hand_over.hpp"
#include "server/listen/listen_address.hpp"
#include "server/systemd/sockets.hpp"

namespace deployd::server {

/// A socket for one worker to accept from; non-blocking, close-on-exec, listening.
struct ListeningSocket {
  base::FileDescriptor socket;
  bool shared = false;  // with other workers, which are woken by the same connection
};

/// An address that is listened on.
///
/// TCP: one socket per worker, bound with SO_REUSEPORT, so that the kernel distributes the connections. Unix domain
/// sockets, and sockets handed over by systemd or by another deployd: the existing sockets are distributed to the
/// workers. Destruction removes the file of a Unix domain socket, unless systemd created it or another process listens
/// on it by then.
class Listener {
 public:
  /// `address` must not be a HostAddress: see `resolve`. Throws ListenError if it is not available. Without `take_over`
  /// this includes an address on which another process listens with SO_REUSEPORT, which would otherwise keep getting a
  /// part of the connections. With `take_over`, first requests the sockets of the deployd that listens there.
  ///
  /// With `in_turn` no other process can bind beside the sockets, not even with SO_REUSEPORT, and a deployd from which
  /// they are taken over keeps serving until it releases them: see `take_turn`.
  Listener(ListenAddress const& address, unsigned workers, bool take_over, Sharing sharing = Sharing::both);

  /// Uses a socket passed by systemd.
  explicit Listener(PassedSocket passed);

  ~Listener();
  Listener(Listener&&) = default;
  Listener& operator=(Listener&&) = delete;

  /// The name for the log, with the port that was selected for port 0.
  std::string const& name() const noexcept { return name_; }

  /// The configured port, or the one selected for port 0; 0 for a Unix domain socket and for a socket passed by
  /// systemd.
  std::uint16_t port() const noexcept { return port_; }

  /// True for TCP, false for a Unix domain socket.
  bool is_tcp() const noexcept { return !name_.starts_with("unix:"); }

  /// Returns the sockets of one of `workers` workers.
  std::vector<ListeningSocket> take(unsigned worker, unsigned workers) const;

  /// Offers the sockets to another deployd; answers on `loop`. Does nothing if systemd passes them to the next process.
  void offer_on(boost::asio::io_context& loop);

  /// Returns a descriptor that becomes readable when a socket that was taken over may be accepted from; none if it may
  /// be already.
  base::FileDescriptor take_turn() noexcept { return std::move(turn_); }

  /// True if another deployd waits for this one to release the socket.
  bool is_awaited() const noexcept { return offer_ && offer_->is_awaited(); }

  /// Closes and releases all sockets except those returned by `take`.
  void close() noexcept;

 private:
  void listen_tcp(TcpAddress address, unsigned workers, bool take_over);
  void listen_unix(UnixAddress const& address, bool take_over);
  bool take_over_from_another();

  std::string name_;
  std::uint16_t port_ = 0;
  Sharing sharing_ = Sharing::both;
  std::string key_;        // the key by which another deployd requests it; empty if nothing is offered
  std::string unix_path_;  // the file to remove; empty for TCP
  std::vector<base::FileDescriptor> sockets_;
  base::FileDescriptor offer_place_;
  base::FileDescriptor turn_;
  std::unique_ptr<SocketOffer> offer_;
};

/// Listens on the endpoints of one address with `listen`, in order. If a free port is selected for port 0 of the first,
/// the others use the same port.
std::vector<Listener> listen_on_each(std::vector<ListenAddress> endpoints,
                                     std::function<Listener(ListenAddress const&)> const& listen);

/// True if one process cannot listen on both: they are the same, or one of them includes all addresses and has the port
/// of the other (0.0.0.0 and [::] those of their family). Port 0 selects a different port each time. Host names are
/// compared, not resolved.
bool overlap(ListenAddress const& one, ListenAddress const& other);

/// Returns the port of an address; nothing for a Unix domain socket.
std::optional<std::uint16_t> port_of(ListenAddress const& address) noexcept;

/// Returns `127.0.0.1:8080`, `[::1]:8080`, `localhost:8080`, `:8080` or `unix:/run/deployd.sock`.
std::string to_string(ListenAddress const& address);

/// Returns the sockets of one of `workers` workers, from all listeners.
std::vector<ListeningSocket> take_of_each(std::vector<Listener> const& listeners, unsigned worker, unsigned workers);

/// Returns the names of all listeners, separated by a comma and a space.
std::string names_of(std::vector<Listener> const& listeners);

}  // namespace deployd::server
