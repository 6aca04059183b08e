// One event loop with its thread, and everything that its requests touch.
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

/// How many connections all workers have together. Must outlive the places that it gives.
class ConnectionCount {
 public:
  /// A connection's place, which is free again when this is destroyed.
  class Place {
   public:
    explicit Place(ConnectionCount& count) noexcept : count_(&count) {}
    Place(Place&& other) noexcept : count_(std::exchange(other.count_, nullptr)) {}
    Place& operator=(Place&&) = delete;
    ~Place() {
      if (count_ != nullptr) count_->leave();
    }

   private:
    ConnectionCount* count_;
  };

  explicit ConnectionCount(std::size_t limit) noexcept : limit_(limit) {}

  /// Before the first connection.
  void limit_to(std::size_t limit) noexcept { limit_ = limit; }

  /// Nothing when all places are taken.
  std::optional<Place> enter() noexcept {
    if (count_.fetch_add(1, std::memory_order_relaxed) < limit_) return Place(*this);
    leave();
    return std::nullopt;
  }

 private:
  void leave() noexcept { count_.fetch_sub(1, std::memory_order_relaxed); }

  std::size_t limit_;
  std::atomic<std::size_t> count_{0};
};

/// Lets workers complain of what clients bring about once in a while only, whichever of them is first.
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

/// What all workers share. Must outlive them.
struct SharedState {
  ServeOptions const& options;
  storage::Database& database;
  std::shared_ptr<routing::RateLimiter> limiter;
  ConnectionCount connections;
  AddressLimit addresses;
  routing::MetricsSource const* metrics_source = nullptr;  // null: workers serve the API; else what --admin-listen does
  Complaints connections_refused{};
  Complaints no_descriptors{};
  auth::RefusalLog refusals{};
};

/// What a worker tells of itself; called on its thread.
struct WorkerEvents {
  std::function<void()> drained;                       // no connection is left after `begin_drain`
  std::function<void(std::error_code)> listener_lost;  // a listening socket does not work any more
};

/// Accepts connections and serves them on one thread. Everything of it but the members named below is of that thread.
class Worker {
 public:
  Worker(SharedState& shared, std::shared_ptr<auth::KeyRing const> keys, std::vector<ListeningSocket> listening,
         WorkerEvents events);
  ~Worker();

  // From any thread:

  /// Starts the thread.
  void start();
  /// Puts other keys in force.
  void replace_keys(std::shared_ptr<auth::KeyRing const> keys);
  /// Connections accepted on TCP from now on are spoken to with this; before the first call in plain text.
  void replace_tls(std::shared_ptr<TlsContext const> tls);
  /// Lets /readyz say that the server is about to stop, and goes on serving.
  void announce_drain();
  /// Stops listening once what waits is accepted, lets what is being answered be answered, and closes the rest.
  void begin_drain();
  /// Cuts all connections and ends the thread.
  void stop();
  void join();

  WorkerMetrics const& metrics() const noexcept { return connection_context_.metrics; }
  routing::RequestMetrics const& request_metrics() const noexcept { return api_->metrics(); }
  routing::CacheMetrics const& cache_metrics() const noexcept { return api_->cache_metrics(); }
  auth::TokenChecks const& token_checks() const noexcept { return authenticator_->checks(); }
  storage::QueryMetrics const& query_metrics() const noexcept { return store_->metrics(); }
  storage::PoolMetrics const* pool_metrics() const noexcept { return store_->pool_metrics(); }

  boost::asio::io_context& context() noexcept { return context_; }

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
  // Sockets belong to the worker's thread; only `post` comes from others.
  EventLoop context_{BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO};
  routing::LoopLoad load_{context_};
  std::unique_ptr<storage::Store> store_;
  std::unique_ptr<auth::Authenticator> authenticator_;
  std::unique_ptr<routing::Api> api_;
  std::shared_ptr<TlsContext const> tls_;  // null: plain text
  ConnectionContext connection_context_;
  std::list<Acceptor> acceptors_;
  boost::intrusive::list<Connection> connections_;
  bool draining_ = false;
  bool ended_ = false;
  std::thread thread_;
};

}  // namespace deployd::server
