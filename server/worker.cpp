#include "server/worker.hpp"

#include <fmt/format.h>
#include <pthread.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_allocator.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <exception>
#include <string_view>
#include <system_error>
#include <utility>

#include "server/listen/descriptor_limit.hpp"
#include "server/listen/socket_address.hpp"

namespace deployd::server {

namespace asio = boost::asio;
using asio::awaitable;

namespace {

constexpr auto without_exceptions = asio::as_tuple(asio::deferred);

constexpr std::size_t most_spare_parts = 256;

// The maximum number of connections accepted in one turn of the event loop.
constexpr int most_accepted = 64;

// Room for a method, the version and the line ends, besides a target and a header that are just within their limits.
constexpr std::size_t around_limits = 256;

/// Returns how often deadlines are checked: often enough that none is exceeded by more than an eighth.
std::chrono::milliseconds sweep_interval(ServeOptions const& options) {
  auto const shortest = std::min({options.header_timeout, options.idle_timeout, options.write_timeout,
                                  options.stream_timeout, std::chrono::milliseconds(4000)});
  return std::max(shortest / 8, std::chrono::milliseconds(5));
}

/// Logs a failure that may be due to lack of memory, in which case the line may be lost.
void log_failure(std::string_view what, std::string_view why) noexcept {
  try {
    spdlog::error("{}: {}", what, why);
  } catch (std::exception const&) {
    // There is no memory to log it either.
  }
}

/// True if accept failed with a permanent error.
bool is_end_of_socket(int error) noexcept {
  return error == EBADF || error == EINVAL || error == ENOTSOCK || error == EOPNOTSUPP;
}

std::size_t largest_head(ServeOptions const& options) noexcept {
  return options.max_target_bytes + options.max_header_bytes + around_limits;
}

/// For coroutines that belong to the worker as long as its loop runs.
void rethrow(std::exception_ptr failure) {
  if (failure) std::rethrow_exception(failure);
}

}  // namespace

/// A connection being served, and the places that it holds. Its destructor reports its end, however the coroutine ends.
struct Worker::OpenConnection {
  OpenConnection(Worker& of, Socket socket, std::unique_ptr<TlsStream> tls, ConnectionCount::Place place_in_all,
                 AddressLimit::Place place_of_address)
      : worker(of),
        place(std::move(place_in_all)),
        address_place(std::move(place_of_address)),
        connection(of.connection_context_, std::move(socket), std::move(tls)) {
    worker.connections_.push_back(connection);
  }
  OpenConnection(OpenConnection const&) = delete;
  OpenConnection& operator=(OpenConnection const&) = delete;
  ~OpenConnection() {
    worker.connections_.erase(worker.connections_.iterator_to(connection));
    worker.end_if_drained();
  }

  Worker& worker;
  ConnectionCount::Place place;
  AddressLimit::Place address_place;
  Connection connection;
};

Worker::Worker(SharedState& shared, std::shared_ptr<auth::KeyRing const> keys, std::vector<ListeningSocket> listening,
               WorkerEvents events)
    : shared_(shared),
      events_(std::move(events)),
      store_(shared.database.store_for(context_.get_executor())),
      authenticator_(
          std::make_unique<auth::Authenticator>(std::move(keys), *store_, &shared.refusals, shared.key_missing)),
      api_(std::make_unique<routing::Api>(
          routing::ApiOptions{routing::CorsPolicy(shared.options.cors_origins, shared.limiter != nullptr),
                              shared.options.cache_bytes / shared.options.workers, shared.limiter, &load_,
                              shared.metrics_source, shared.options.access_log != AccessLog::off, shared.options.page},
          *authenticator_, *store_)),
      connection_context_{
          .api = *api_,
          .head_limits = {shared.options.max_target_bytes, shared.options.max_header_bytes,
                          shared.options.max_body_bytes},
          .reader_limits = {shared.options.write_timeout, shared.options.stream_timeout,
                            shared.options.stream_min_rate},
          .header_timeout = shared.options.header_timeout,
          .idle_timeout = shared.options.idle_timeout,
          .access_log = AccessLogBuffer(shared.options.access_log),
          .buffers = InputBuffer::Buffers(most_spare_parts, largest_head(shared.options)),
          .outputs = ResponseSender::Outputs(most_spare_parts),
      } {
  for (auto& [socket, also_of_others] : listening) {
    auto const family = local_address(socket.get()).protocol().family();
    asio::generic::stream_protocol const protocol(family, 0);
    acceptors_.emplace_back(
        asio::basic_socket_acceptor<asio::generic::stream_protocol>(context_, protocol, socket.get()), family,
        also_of_others);
    socket.release();
  }
}

Worker::~Worker() {
  // The loop is still running if the server could not be started.
  context_.stop();
  join();
  // Waiting coroutines refer to the store and to state shared by connections, so they are destroyed first, without
  // reporting their end.
  ended_ = true;
  context_.destroy_waiting();
}

void Worker::start() {
  for (auto& acceptor : acceptors_) asio::co_spawn(context_, accept_from(acceptor), rethrow);
  asio::co_spawn(context_, sweep(), rethrow);
  if (shared_.metrics_source != nullptr) asio::co_spawn(context_, probe_store(), rethrow);
  connection_context_.metrics.last_turn.set(nanoseconds_of(Clock::now()));
  try {
    thread_ = std::thread([this] {
      ::pthread_setname_np(::pthread_self(), shared_.metrics_source == nullptr ? "worker" : "admin");
      context_.run_on();
    });
  } catch (std::system_error const& failure) {
    throw UnavailableError(fmt::format(
        "cannot start a thread for an event loop ({}): lower --workers or raise TasksMax=", failure.code().message()));
  }
}

void Worker::join() {
  if (thread_.joinable()) thread_.join();
}

void Worker::stop() {
  asio::post(context_, [this] {
    authenticator_->stop_waiting();
    for (auto& connection : connections_) connection.cut();
    draining_ = true;
    end_if_drained();
  });
}

void Worker::replace_keys(std::shared_ptr<auth::KeyRing const> keys) {
  asio::post(context_, [this, keys = std::move(keys)]() mutable { authenticator_->replace_keys(std::move(keys)); });
}

void Worker::retry_waiting_tokens() {
  asio::post(context_, [this] { authenticator_->retry_waiting(); });
}

void Worker::replace_tls(std::shared_ptr<TlsContext const> tls) {
  asio::post(context_, [this, tls = std::move(tls)]() mutable {
    connection_context_.record_room.resize(TlsStream::record_bytes);
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
      // Clients that have connected already are still served. Limited by the maximum length of a backlog.
      for (int left = SOMAXCONN; left > 0 && accept_some(acceptor, 1) == Accepted::one; --left) {
      }
      boost::system::error_code ignored;
      acceptor.socket.close(ignored);
    }
    draining_ = true;
    for (auto& connection : connections_) connection.begin_drain();
    end_if_drained();
  });
}

void Worker::end_if_drained() noexcept {
  if (!draining_ || !connections_.empty() || std::exchange(ended_, true)) return;
  connection_context_.access_log.flush();
  connection_context_.metrics.last_turn.set(nanoseconds_of(Clock::time_point::max()));
  if (events_.drained) events_.drained();
  context_.stop();
}

awaitable<void> Worker::accept_from(Acceptor& acceptor) {
  asio::steady_timer pause(context_);
  auto token = asio::bind_allocator(HandlerAllocator<void>(acceptor.memory), without_exceptions);
  // Limited per turn, so that connections and other listeners get their turn. One connection per turn from a shared
  // socket, so that the other workers get some too.
  auto const most = acceptor.shared ? 1 : most_accepted;
  while (!draining_) {
    auto const [failure] = co_await acceptor.socket.async_wait(asio::socket_base::wait_read, token);
    if (draining_) co_return;
    auto const accepted = failure ? lost(failure) : accept_some(acceptor, most);
    if (accepted == Accepted::nothing_ever) co_return;
    if (accepted != Accepted::no_room) continue;
    // No place, descriptor or memory is free: connections in the backlog wait a little longer.
    pause.expires_after(std::chrono::milliseconds(10));
    co_await pause.async_wait(token);
  }
}

/// Accepts at most `most` connections. Returns what happened to the last of them.
Worker::Accepted Worker::accept_some(Acceptor& acceptor, int most) noexcept {
  auto accepted = Accepted::one;
  try {
    for (int turn = 0; turn < most && accepted == Accepted::one; ++turn) accepted = accept_one(acceptor);
  } catch (std::exception const& failure) {
    // The connection is closed, and its places are free again.
    if (shared_.no_descriptors.may(Clock::now())) log_failure("a connection cannot be served", failure.what());
    accepted = Accepted::no_room;
  }
  return accepted;
}

Worker::Accepted Worker::accept_one(Acceptor& acceptor) {
  while (true) {
    auto place = shared_.connections.enter();
    if (!place) return Accepted::no_room;
    SocketAddress peer;
    auto size = static_cast<socklen_t>(peer.capacity());
    bool const asked = shared_.addresses.enabled();
    base::FileDescriptor socket(::accept4(acceptor.socket.native_handle(), asked ? peer.data() : nullptr,
                                          asked ? &size : nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (socket.get() >= 0) {
      if (asked) peer.resize(size);
      connection_context_.metrics.accepted.add();
      if (auto address_place = shared_.addresses.enter(peer))
        open(std::move(socket), acceptor.family, std::move(place), std::move(*address_place));
      else
        refuse(std::move(socket), peer);
      return Accepted::one;
    }
    auto const error = errno;
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

/// Closes a connection of an address that has too many, with a reset, so that the kernel keeps no state of it.
void Worker::refuse(base::FileDescriptor socket, SocketAddress const& peer) {
  connection_context_.metrics.refused.add();
  reset_on_close(socket.get());
  if (shared_.connections_refused.may(Clock::now()))
    spdlog::warn("closed a connection from {}: its address has reached --max-connections-per-address", to_text(peer));
}

void Worker::open(base::FileDescriptor descriptor, int family, ConnectionCount::Place place,
                  AddressLimit::Place address_place) {
  auto const fd = descriptor.get();
  Socket socket(context_);
  socket.assign(asio::generic::stream_protocol(family, 0), fd);
  descriptor.release();
  auto tls = tls_ && family != AF_UNIX ? std::make_unique<TlsStream>(tls_->accept(), fd, tls_) : nullptr;
  auto opened = std::make_unique<OpenConnection>(*this, std::move(socket), std::move(tls), std::move(place),
                                                 std::move(address_place));
  auto& connection = opened->connection;
  if (draining_) connection.begin_drain();
  asio::co_spawn(context_, connection.run(), [opened = std::move(opened)](std::exception_ptr failure) noexcept {
    try {
      rethrow(failure);
    } catch (std::exception const& error) {
      log_failure("a connection is closed", error.what());
    }
  });
}

awaitable<void> Worker::sweep() {
  auto const interval = sweep_interval(shared_.options);
  asio::steady_timer timer(context_);
  HandlerMemory memory;
  auto token = asio::bind_allocator(HandlerAllocator<void>(memory), without_exceptions);
  while (true) {
    timer.expires_after(interval);
    co_await timer.async_wait(token);
    auto const now = Clock::now();
    connection_context_.metrics.loop_lag.observe(now - timer.expiry());
    connection_context_.metrics.last_turn.set(nanoseconds_of(now));
    look_at_connections(now);
    connection_context_.clock.compare();
    connection_context_.access_log.flush();
  }
}

void Worker::look_at_connections(Clock::time_point now) {
  std::array<std::uint64_t, connection_phases> phases{};
  for (auto& connection : connections_) {
    ++phases[static_cast<std::size_t>(connection.phase())];
    connection.check_deadline(now);
  }
  for (std::size_t phase = 0; phase < phases.size(); ++phase)
    connection_context_.metrics.connections[phase].set(phases[phase]);
}

awaitable<void> Worker::probe_store() {
  asio::steady_timer pause(context_);
  HandlerMemory memory;
  auto token = asio::bind_allocator(HandlerAllocator<void>(memory), without_exceptions);
  while (true) {
    bool up = false;
    try {
      auto const answered = co_await store_->ping();
      up = answered.has_value();
    } catch (std::exception const& failure) {
      log_failure("the store cannot be probed", failure.what());
    }
    connection_context_.metrics.store_up.set(up ? 1 : 0);
    pause.expires_after(std::chrono::seconds(1));
    co_await pause.async_wait(token);
  }
}

}  // namespace deployd::server
