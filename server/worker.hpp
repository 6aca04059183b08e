// A worker: one event loop with its thread, and all state that its requests use.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/intrusive/list.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "auth/authenticator.hpp"
#include "base/file_descriptor.hpp"
#include "routing/api.hpp"
#include "routing/metrics_source.hpp"
#include "server/event_loop.hpp"
#include "server/http/connection.hpp"
#include "server/http/connection_context.hpp"
#include "server/http/handler_memory.hpp"
#include "server/http/worker_metrics.hpp"
#include "server/listen/address_limit.hpp"
#include "server/listen/listener.hpp"
#include "server/options/serve_options.hpp"
#include "server/tls/context.hpp"
#include "storage/database.hpp"

namespace deployd::server {

/// Counts the connections of all workers together. Must outlive the places that it returns.
class ConnectionCount {
  struct Leave {
    void operator()(ConnectionCount* count) const noexcept { count->count_.fetch_sub(1, std::memory_order_relaxed); }
  };

 public:
  /// The place of one connection, which becomes free on destruction.
  using Place = std::unique_ptr<ConnectionCount, Leave>;

  explicit ConnectionCount(std::size_t limit) noexcept : limit_(limit) {}

  /// Must be called before the first connection.
  void limit_to(std::size_t limit) noexcept { limit_ = limit; }

  /// Returns null if all places are taken.
  Place enter() noexcept {
    bool const free = count_.fetch_add(1, std::memory_order_relaxed) < limit_;
    Place place(this);
    return free ? std::move(place) : nullptr;
  }

 private:
  std::size_t limit_;
  std::atomic<std::size_t> count_{0};
};

/// Limits how often workers log what clients cause. The limit is shared by all workers.
class Complaints {
 public:
  bool may(Clock::time_point now) noexcept {
    auto due = next_.load(std::memory_order_relaxed);
    auto const time = now.time_since_epoch();
    return time >= due && next_.compare_exchange_strong(due, time + pause, std::memory_order_relaxed);
  }

 private:
  static constexpr std::chrono::seconds pause{10};
  std::atomic<Clock::duration> next_{};
};

/// State shared by all workers. Must outlive them.
struct SharedState {
  ServeOptions const& options;
  storage::Database& database;
  std::shared_ptr<routing::RateLimiter> limiter;
  ConnectionCount connections;
  AddressLimit addresses;
  routing::MetricsSource const* metrics_source = nullptr;  // null: serve the API; otherwise --admin-listen's routes
  Complaints connections_refused{};
  Complaints no_descriptors{};
  auth::RefusalLog refusals{};
  auth::KeyMissing key_missing{};  // called by workers
};

/// Events of a worker, reported on its thread.
struct WorkerEvents {
  std::function<void()> drained;                       // no connection is left after `begin_drain`
  std::function<void(std::error_code)> listener_lost;  // a listening socket can no longer be used
};

/// Returns the time as `WorkerMetrics::last_turn` has it.
inline std::uint64_t nanoseconds_of(Clock::time_point time) noexcept {
  return static_cast<std::uint64_t>(std::chrono::nanoseconds(time.time_since_epoch()).count());
}

/// Accepts connections and serves them on one thread. All members except those marked below belong to that thread.
class Worker {
 public:
  Worker(SharedState& shared, std::shared_ptr<auth::KeyRing const> keys, std::vector<ListeningSocket> listening,
         WorkerEvents events);
  ~Worker();

  // Safe to call from any thread:

  /// Starts the thread.
  void start();
  /// Applies new keys.
  void replace_keys(std::shared_ptr<auth::KeyRing const> keys);
  /// Verifies tokens again that wait for keys.
  void retry_waiting_tokens();
  /// Sets the TLS context for new TCP connections; before the first call they are in plain text.
  void replace_tls(std::shared_ptr<TlsContext const> tls);
  /// Makes /readyz report that the server is about to stop, and continues to serve.
  void announce_drain();
  /// Accepts waiting connections and stops listening, finishes open requests, and closes the other connections.
  void begin_drain();
  /// Closes all connections and ends the thread.
  void stop();
  void join();

  WorkerMetrics const& metrics() const noexcept { return connection_context_.metrics; }
  routing::RequestMetrics const& request_metrics() const noexcept { return api_->metrics(); }
  routing::CacheMetrics const& cache_metrics() const noexcept { return api_->cache_metrics(); }
  auth::TokenChecks const& token_checks() const noexcept { return authenticator_->checks(); }
  storage::QueryMetrics const& query_metrics() const noexcept { return store_->metrics(); }
  storage::PoolMetrics const* pool_metrics() const noexcept { return store_->pool_metrics(); }

 private:
  struct Acceptor {
    boost::asio::basic_socket_acceptor<boost::asio::generic::stream_protocol> socket;
    int family;
    bool shared;
    HandlerMemory memory{};
  };
  struct OpenConnection;
  enum class Accepted { one, none_waits, no_room, nothing_ever };

  boost::asio::awaitable<void> accept_from(Acceptor& acceptor);
  boost::asio::awaitable<void> sweep();
  boost::asio::awaitable<void> probe_store();
  Accepted accept_one(Acceptor& acceptor);
  Accepted accept_some(Acceptor& acceptor, int most) noexcept;
  Accepted lost(std::error_code failure);
  void look_at_connections(Clock::time_point now);
  void refuse(base::FileDescriptor socket, SocketAddress const& peer);
  void open(base::FileDescriptor socket, int family, ConnectionCount::Place place, AddressLimit::Place address_place);
  void end_if_drained() noexcept;

  SharedState& shared_;
  WorkerEvents events_;
  // Sockets belong to the worker's thread. Other threads only use `post`.
  EventLoop context_{BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO};
  routing::LoopLoad load_{context_};
  std::unique_ptr<storage::Store> store_;
  std::unique_ptr<auth::Authenticator> authenticator_;
  std::unique_ptr<routing::Api> api_;
  std::shared_ptr<TlsContext const> tls_;  // null for plain text
  ConnectionContext connection_context_;
  std::list<Acceptor> acceptors_;
  boost::intrusive::list<Connection> connections_;
  bool draining_ = false;
  bool ended_ = false;
  std::thread thread_;
};

}  // namespace deployd::server
