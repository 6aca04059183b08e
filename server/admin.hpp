// Serves /metrics, /healthz and /readyz at --admin-listen, on a separate socket and thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <memory>
#include <system_error>
#include <vector>

#include "server/listen/listener.hpp"
#include "server/metrics/page.hpp"
#include "server/options/endpoints.hpp"
#include "server/options/serve_options.hpp"
#include "server/systemd/sockets.hpp"
#include "server/worker.hpp"

namespace deployd::server {

/// The admin listener. All members must be called on the thread of `main`.
///
/// It is a worker with the same parser, limits and deadlines as the others, but with few connections and no API. If its
/// socket fails, the failure is logged and the address is opened again, as often as necessary.
///
/// If two processes share an address only one of them answers, so that counters do not seem to go back and forth: with
/// --take-over it is the older one, until it drains.
class Admin {
 public:
  /// Listens on `passed`, otherwise on `endpoints`, those of --admin-listen. Throws ListenError if the address is not
  /// available; with
  /// --take-over it waits instead for an address that another process has. The other arguments must outlive this
  /// object.
  Admin(boost::asio::io_context& main, ServeOptions const& options, storage::Database& database, MetricsPage& page,
        Endpoints endpoints, std::vector<PassedSocket> passed);
  ~Admin();

  /// Starts the thread, now or when the older process releases the address.
  void start();

  /// Makes `/readyz` return 503. Everything is served until destruction, or until a newer process that waits for the
  /// address has received it.
  void begin_drain();

 private:
  static ServeOptions for_admin(ServeOptions options);
  void listen(std::vector<Listener> listeners);
  void listen_alone(bool take_over);
  /// Serves as soon as the older process has released each socket that it shares. Returns true if that takes until
  /// later.
  bool await_turns();
  void serve();
  void stop();
  void lost(std::error_code failure);
  void listen_again();

  boost::asio::io_context& main_;
  ServeOptions options_;
  MetricsPage& page_;
  Endpoints endpoints_;
  SharedState shared_;
  boost::asio::steady_timer pause_;
  boost::asio::posix::stream_descriptor turn_;
  bool passed_;
  std::vector<Listener> listeners_;
  std::unique_ptr<Worker> worker_;
  bool draining_ = false;
};

}  // namespace deployd::server
