// What --admin-listen serves: /metrics, /healthz and /readyz, on sockets and a thread of their own.
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

/// The admin listener. All members are called on the thread of `main`.
///
/// It is a worker like the others, with the same parser, limits and deadlines, but few connections and no API. When its
/// socket stops working, that is said in the log and the address is listened on again, as often as it takes.
///
/// Of two processes on one address only one is asked, so that counters do not seem to go back and forth: with
/// --take-over the older one, until it drains.
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

  /// Lets `/readyz` say 503; everything is served until the destruction, or until a newer process that waits for the
  /// address has it.
  void begin_drain();

 private:
  static ServeOptions for_admin(ServeOptions options);
  void listen(std::vector<Listener> listeners);
  void listen_alone(bool take_over);
  void await_turns();
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
