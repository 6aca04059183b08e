// The sockets on which connections arrive.
#pragma once

#include <boost/asio/io_context.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/file_descriptor.hpp"
#include "server/listen/hand_over.hpp"
#include "server/listen/listen_address.hpp"
#include "server/listen_error.hpp"
#include "server/systemd/sockets.hpp"

namespace deployd::server {

/// A socket for one worker to accept from; non-blocking, close-on-exec, listening.
struct ListeningSocket {
  base::FileDescriptor socket;
  bool shared = false;  // with other workers, which are woken by the same connection
};

/// One address that is listened on.
///
/// TCP: a socket for each worker, bound with SO_REUSEPORT, between which the kernel spreads the connections. Unix
/// domain, and what was handed over by systemd or by another deployd: as many sockets as there are, spread over the
/// workers. Destroying it removes a Unix domain socket's file, unless it was systemd's or another process listens on it
/// by now.
class Listener {
 public:
  /// `address` must not be a HostAddress: see `resolve`. Throws ListenError if it is not available. Without `take_over`
  /// this includes an address on which another process listens with SO_REUSEPORT, which would otherwise keep getting a
  /// part of the connections. With `take_over`, first requests the sockets of the deployd that listens there.
  Listener(ListenAddress const& address, unsigned workers, bool take_over);

  /// Goes on with a socket of systemd's.
  explicit Listener(PassedSocket passed);

  /// One socket that no other process can bind beside, not even with SO_REUSEPORT. With `take_over` the deployd that
  /// listens there is asked for it first, and goes on until it lets go: see `take_turn`. Throws ListenError.
  static Listener exclusive(ListenAddress const& address, bool take_over);
  ~Listener();
  Listener(Listener&&) = default;
  Listener& operator=(Listener&&) = delete;

  /// As it stands in the log, with the port that was taken for port 0.
  std::string const& name() const noexcept { return name_; }

  /// The port that was given, or taken for port 0; 0 for a Unix domain socket, and for a socket of systemd's.
  std::uint16_t port() const noexcept { return port_; }

  /// Otherwise it is a Unix domain socket.
  bool is_tcp() const noexcept { return !name_.starts_with("unix:"); }

  /// The sockets of one of `workers` workers.
  std::vector<ListeningSocket> take(unsigned worker, unsigned workers) const;

  /// Offers the sockets to another deployd; answers on `loop`. Does nothing if systemd passes them to the next process.
  void offer_on(boost::asio::io_context& loop);

  /// What becomes readable when a socket that was taken over may be accepted from; none when it may be already.
  base::FileDescriptor take_turn() noexcept { return std::move(turn_); }

  /// True if another deployd waits for this one to release the socket.
  bool is_awaited() const noexcept { return offer_ && offer_->is_awaited(); }

  /// Closes and releases all sockets except those returned by `take`.
  void close() noexcept;

 private:
  Listener(std::string name, Sharing sharing) : name_(std::move(name)), sharing_(sharing) {}
  void listen_tcp(TcpAddress const& address, unsigned workers, bool take_over);
  void listen_unix(UnixAddress const& address, bool take_over);
  bool take_over_from_another();

  std::string name_;
  std::uint16_t port_ = 0;
  Sharing sharing_ = Sharing::both;
  std::string key_;        // what another deployd asks for; empty: nothing is offered
  std::string unix_path_;  // to be removed; empty for TCP
  std::vector<base::FileDescriptor> sockets_;
  base::FileDescriptor offer_place_;
  base::FileDescriptor turn_;
  std::unique_ptr<SocketOffer> offer_;
};

/// Listens on the endpoints of one address by `listen`, in their order. Where the first takes a free port for port 0,
/// the others take the same one.
std::vector<Listener> listen_on_each(std::vector<ListenAddress> endpoints,
                                     std::function<Listener(ListenAddress const&)> const& listen);

/// True when one process cannot listen on both: they are the same, or one of them stands for all addresses with the
/// port of the other (0.0.0.0 and [::] for those of their family). Port 0 is another one each time. Host names are
/// compared, not resolved.
bool overlap(ListenAddress const& one, ListenAddress const& other);

/// Tries whether an address can be listened on, without listening on it: false when it is in use at the moment. Throws
/// ListenError when it cannot be had at all: it is not this machine's, or not for this user. `address` is no
/// HostAddress.
bool is_free(ListenAddress const& address);

/// `127.0.0.1:8080`, `[::1]:8080`, `localhost:8080`, `:8080` or `unix:/run/deployd.sock`.
std::string to_string(ListenAddress const& address);

/// The sockets of one of `workers` workers, of all the listeners.
std::vector<ListeningSocket> take_of_each(std::vector<Listener> const& listeners, unsigned worker, unsigned workers);

/// The names of all, with a comma and a space between them.
std::string names_of(std::vector<Listener> const& listeners);

}  // namespace deployd::server
