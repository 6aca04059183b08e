#include "server/worker.hpp"

#include <fmt/format.h>
#include <pthread.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <exception>
#include <system_error>
#include <utility>

#include "server/log_output.hpp"
#include "server/reset_on_close.hpp"
#include "server/socket_address.hpp"

namespace deployd::server {

namespace asio = boost::asio;
using asio::awaitable;

namespace {

constexpr auto without_exceptions = asio::as_tuple(asio::deferred);

// An output that has grown beyond this is not kept for the next request.
constexpr std::size_t largest_kept_output = 2 * routing::Output::flush_threshold;
constexpr std::size_t most_kept_outputs = 256;
constexpr std::size_t most_kept_buffers = 256;

// Connections accepted in one turn of the event loop.
constexpr int most_accepted = 64;

// Room for a method, the version and the line ends, beside a target and a header that are just within their limits.
constexpr std::size_t around_limits = 256;

std::size_t share_of(std::size_t whole, ServeOptions const& options) {
  return whole / options.workers;
}

/// How often deadlines are looked at: often enough that none is exceeded by more than an eighth.
std::chrono::milliseconds sweep_interval(ServeOptions const& options) {
  auto const shortest = std::min({options.header_timeout, options.idle_timeout, options.write_timeout,
                                  options.stream_timeout, std::chrono::milliseconds(4000)});
  return std::max(shortest / 8, std::chrono::milliseconds(5));
}

std::uint64_t nanoseconds_of(Clock::time_point time) noexcept {
  return static_cast<std::uint64_t>(std::chrono::nanoseconds(time.time_since_epoch()).count());
}

/// Whether accept failed for a reason that will not pass.
bool is_end_of_socket(int error) noexcept {
  return error == EBADF || error == EINVAL || error == ENOTSOCK || error == EOPNOTSUPP;
}

/// For coroutines that belong to the worker for as long as its loop runs.
void rethrow(std::exception_ptr failure) {
  if (failure) std::rethrow_exception(failure);
}

}  // namespace

Worker::Worker(SharedState& shared, std::shared_ptr<auth::KeyRing const> keys, std::vector<ListeningSocket> listening,
               WorkerEvents events)
    : shared_(shared),
      head_limits_{options().max_target_bytes, options().max_header_bytes, options().max_body_bytes},
      buffer_size_(options().max_target_bytes + options().max_header_bytes + around_limits),
      events_(std::move(events)),
      store_(shared.database.store_for(context_.get_executor())),
      authenticator_(std::make_unique<auth::Authenticator>(std::move(keys), *store_, &shared.refusals)),
      api_(std::make_unique<routing::Api>(
          routing::ApiOptions{routing::CorsPolicy(options().cors_origins, shared.limiter != nullptr),
                              share_of(options().cache_bytes, options()), shared.limiter, &load_,
                              shared.metrics_source},
          *authenticator_, *store_)) {
  compare_clocks();
  for (auto& [socket, also_of_others] : listening) {
    auto const family = local_address(socket.get()).family();
    asio::generic::stream_protocol const protocol(family, 0);
    acceptors_.push_back({{context_, protocol, socket.release()}, family, also_of_others});
  }
}

Worker::~Worker() {
  // The loop still runs where the server could not be started after all.
  context_.stop();
  join();
  // Coroutines that still wait refer to connections and the store, so the loop's operations go first.
  connections_.clear_and_dispose([](Connection*) {});
}

void Worker::start() {
  for (auto& acceptor : acceptors_) asio::co_spawn(context_, accept_from(acceptor), rethrow);
  asio::co_spawn(context_, sweep(), rethrow);
  if (shared_.metrics_source != nullptr) asio::co_spawn(context_, probe_store(), rethrow);
  metrics_.last_turn.set(nanoseconds_of(Clock::now()));
  try {
    thread_ = std::thread([this] {
      ::pthread_setname_np(::pthread_self(), shared_.metrics_source == nullptr ? "worker" : "admin");
      context_.run();
    });
  } catch (std::system_error const& failure) {
    throw ResourceError(
        fmt::format("no thread can be started for an event loop ({}): lower --workers, or raise TasksMax=",
                    failure.code().message()));
  }
}

void Worker::join() {
  if (thread_.joinable()) thread_.join();
}

void Worker::stop() {
  asio::post(context_, [this] {
    for (auto& connection : connections_) connection.cut();
    draining_ = true;
    end_if_drained();
  });
}

void Worker::replace_keys(std::shared_ptr<auth::KeyRing const> keys) {
  asio::post(context_, [this, keys = std::move(keys)]() mutable { authenticator_->replace_keys(std::move(keys)); });
}

void Worker::replace_tls(std::shared_ptr<TlsContext const> tls) {
  asio::post(context_, [this, tls = std::move(tls)]() mutable {
    if (!record_) record_ = std::make_unique_for_overwrite<char[]>(TlsStream::record_bytes);
    tls_ = std::move(tls);
  });
}

void Worker::announce_drain() {
  asio::post(context_, [this] { api_->begin_drain(); });
}

void Worker::begin_drain() {
  asio::post(context_, [this] {
    if (draining_) return;
    api_->begin_drain();
    for (auto& acceptor : acceptors_) {
      // Clients that connected before now have been promised an answer. Bounded by what a backlog holds.
      for (int left = SOMAXCONN; left > 0 && accept_one(acceptor) == Accepted::one; --left) {
      }
      boost::system::error_code ignored;
      acceptor.socket.close(ignored);
    }
    draining_ = true;
    for (auto& connection : connections_) connection.begin_drain();
    end_if_drained();
  });
}

void Worker::end_if_drained() {
  if (!draining_ || !connections_.empty() || std::exchange(ended_, true)) return;
  flush_access_log();
  if (events_.drained) events_.drained();
  context_.stop();
}

awaitable<void> Worker::pause(std::chrono::milliseconds time) {
  asio::steady_timer timer(context_, time);
  co_await timer.async_wait(without_exceptions);
}

awaitable<void> Worker::accept_from(Acceptor& acceptor) {
  while (!draining_) {
    auto const [failure] = co_await acceptor.socket.async_wait(asio::socket_base::wait_read, without_exceptions);
    if (draining_) co_return;
    auto accepted = failure ? lost(failure) : accept_one(acceptor);
    // A bounded number, so that connections and other listeners get their turn; of a shared socket one, so that the
    // other workers get theirs.
    for (int turn = acceptor.shared ? most_accepted : 1; turn < most_accepted && accepted == Accepted::one; ++turn)
      accepted = accept_one(acceptor);
    if (accepted == Accepted::nothing_ever) co_return;
    // No place or no descriptor is free: what waits in the backlog waits a little longer.
    if (accepted == Accepted::no_room) co_await pause(std::chrono::milliseconds(10));
  }
}

Worker::Accepted Worker::accept_one(Acceptor& acceptor) {
  while (true) {
    if (!shared_.connections.enter()) return Accepted::no_room;
    SocketAddress peer;
    peer.size = sizeof(peer.storage);
    bool const asked = shared_.addresses.enabled();
    int const fd = ::accept4(acceptor.socket.native_handle(), asked ? peer.get() : nullptr,
                             asked ? &peer.size : nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      metrics_.accepted.add();
      if (auto place = shared_.addresses.enter(peer)) {
        open(fd, acceptor.family, std::move(*place));
      } else {
        refuse(fd, peer);
        shared_.connections.leave();
      }
      return Accepted::one;
    }
    auto const error = errno;
    shared_.connections.leave();
    if (error == EAGAIN || error == EWOULDBLOCK) return Accepted::none_waits;
    if (error == ECONNABORTED || error == EINTR || error == EPROTO) continue;
    if (is_end_of_socket(error)) return lost({error, std::system_category()});
    if (shared_.no_descriptors.may(Clock::now()))
      spdlog::error("cannot accept connections: {}", std::system_category().message(error));
    return Accepted::no_room;
  }
}

Worker::Accepted Worker::lost(std::error_code failure) {
  if (events_.listener_lost) events_.listener_lost(failure);
  return Accepted::nothing_ever;
}

/// Closes a connection of an address that has enough of them: with a reset, which leaves nothing behind here.
void Worker::refuse(int fd, SocketAddress const& peer) noexcept {
  metrics_.refused.add();
  if (shared_.connections_refused.may(Clock::now()))
    spdlog::warn("a connection from {} is closed: its address has as many as --max-connections-per-address allows",
                 to_string(peer));
  reset_on_close(fd);
  ::close(fd);
}

void Worker::open(int fd, int family, AddressLimit::Place place) {
  Socket socket(context_, asio::generic::stream_protocol(family, 0), fd);
  auto tls = tls_ && family != AF_UNIX ? std::make_unique<TlsStream>(tls_->accept(), fd, tls_) : nullptr;
  auto connection = std::make_unique<Connection>(*this, std::move(socket), std::move(tls));
  auto& opened = *connection;
  connections_.push_back(opened);
  if (draining_) opened.begin_drain();
  asio::co_spawn(context_, opened.run(),
                 [this, place = std::move(place), connection = std::move(connection)](std::exception_ptr failure) {
                   try {
                     rethrow(failure);
                   } catch (std::exception const& error) {
                     spdlog::error("a connection failed: {}", error.what());
                   }
                   close(*connection);
                 });
}

void Worker::close(Connection& connection) noexcept {
  connections_.erase(connections_.iterator_to(connection));
  shared_.connections.leave();
  end_if_drained();
}

awaitable<void> Worker::sweep() {
  auto const interval = sweep_interval(options());
  asio::steady_timer timer(context_);
  while (true) {
    timer.expires_after(interval);
    co_await timer.async_wait(without_exceptions);
    auto const now = Clock::now();
    metrics_.loop_lag.observe(now - timer.expiry());
    metrics_.last_turn.set(nanoseconds_of(now));
    look_at_connections(now);
    compare_clocks();
    flush_access_log();
  }
}

void Worker::look_at_connections(Clock::time_point now) {
  std::array<std::uint64_t, connection_phases> phases{};
  for (auto& connection : connections_) {
    ++phases[static_cast<std::size_t>(connection.phase())];
    if (connection.deadline() <= now) connection.expire();
  }
  for (std::size_t phase = 0; phase < phases.size(); ++phase) metrics_.connections[phase].set(phases[phase]);
}

awaitable<void> Worker::probe_store() {
  while (true) {
    auto const answered = co_await store_->ping();
    metrics_.store_up.set(answered ? 1 : 0);
    co_await pause(std::chrono::seconds(1));
  }
}

void Worker::flush_access_log() {
  if (access_log_.empty()) return;

  write_log(access_log_);
  access_log_.clear();
}

/// Requests look at one clock only: the time of day follows from it until the next sweep, at most half a second later.
void Worker::compare_clocks() noexcept {
  for (int tries = 0; tries < 3; ++tries) {
    auto const before = Clock::now();
    auto const system = std::chrono::system_clock::now();
    system_ahead_ = system.time_since_epoch() - before.time_since_epoch();
    // Else the thread lost the processor between the two.
    if (Clock::now() - before < std::chrono::microseconds(100)) return;
  }
}

std::unique_ptr<routing::Output> Worker::borrow_output() {
  if (free_outputs_.empty()) return std::make_unique<routing::Output>();
  auto output = std::move(free_outputs_.back());
  free_outputs_.pop_back();
  return output;
}

void Worker::give_back(std::unique_ptr<routing::Output> output) noexcept {
  output->clear();
  if (output->bytes.capacity() > largest_kept_output || free_outputs_.size() >= most_kept_outputs) return;
  free_outputs_.push_back(std::move(output));
}

std::unique_ptr<char[]> Worker::borrow_buffer() {
  if (free_buffers_.empty()) return std::make_unique_for_overwrite<char[]>(buffer_size_);
  auto buffer = std::move(free_buffers_.back());
  free_buffers_.pop_back();
  return buffer;
}

void Worker::give_back(std::unique_ptr<char[]> buffer) noexcept {
  if (free_buffers_.size() >= most_kept_buffers) return;
  free_buffers_.push_back(std::move(buffer));
}

}  // namespace deployd::server
