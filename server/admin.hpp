// What --admin-listen serves: /metrics, /healthz and /readyz, on one socket and one thread of their own.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <system_error>

#include "server/listener.hpp"
#include "server/metrics_page.hpp"
#include "server/serve.hpp"
#include "server/worker.hpp"

namespace deployd::server {

/// The admin listener. All members are called on the thread of `main`.
///
/// It is a worker like the others, with the same parser, limits and deadlines, but few connections and no API. When its
/// socket stops working, that is said in the log and the address is listened on again, as often as it takes.
class Admin {
 public:
  /// Listens. Throws ListenError when the address is not to be had; with --take-over an address that the older process
  /// still has is waited for instead. The arguments must outlive this.
  Admin(boost::asio::io_context& main, ServeOptions const& options, storage::Database& database, MetricsPage& page);
  ~Admin();

  /// Starts the thread.
  void start();

  /// Lets `/readyz` say 503; everything is served until the destruction.
  void begin_drain();

 private:
  static ServeOptions for_admin(ServeOptions options);
  void listen();
  void stop();
  void lost(std::error_code failure);
  void listen_again();

  boost::asio::io_context& main_;
  ServeOptions options_;
  MetricsPage& page_;
  SharedState shared_;
  boost::asio::steady_timer pause_;
  std::optional<Listener> listener_;
  std::unique_ptr<Worker> worker_;
  bool draining_ = false;
};

}  // namespace deployd::server
