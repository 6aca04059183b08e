#include "bench/load_thread.hpp"

#include <time.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <utility>

namespace deployd::bench {
namespace {

constexpr auto awaited = boost::asio::as_tuple(boost::asio::deferred);
constexpr auto tick_length = std::chrono::milliseconds(20);
constexpr auto stop_grace = std::chrono::seconds(1);
// A request that is due just before the end may have to wait for a connection, also where the server is fast enough: it
// is still sent a twentieth of the duration, and at most so long, after the end.
constexpr std::chrono::nanoseconds longest_wait_after_end = std::chrono::milliseconds(100);
// A request that goes out this long after it was due is late even if connections were free.
constexpr auto lateness = std::chrono::milliseconds(1);

std::chrono::nanoseconds thread_cpu_time() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

}  // namespace

LoadThread::LoadThread(Options const& options, boost::asio::ip::tcp::endpoint endpoint, Window const& window,
                       std::unique_ptr<Schedule> schedule, unsigned connections, std::atomic<bool> const& stop)
    : options_(options),
      endpoint_(std::move(endpoint)),
      window_(window),
      schedule_(std::move(schedule)),
      stop_(stop),
      // One thread runs it and nobody else posts to it: no locks.
      io_(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE),
      tls_(options.url.secure ? std::make_unique<TlsClient>(options.url.host, options.tls) : nullptr),
      body_check_(options.expect_body),
      after_target_(" HTTP/1.1\r\n" + options.fields + "\r\n"),
      waiting_(connections) {
  for (unsigned i = 0; i < connections; ++i) connections_.push_back(std::make_unique<Connection>(*this));
}

LoadThread::~LoadThread() = default;

void LoadThread::run() {
  last_contact_ = Clock::now();
  auto const on_end = [this](std::exception_ptr failure) { ended(std::move(failure)); };
  for (auto const& connection : connections_) {
    ++running_;
    boost::asio::co_spawn(io_, connection->run(), on_end);
  }
  boost::asio::co_spawn(io_, tick(), [this](std::exception_ptr failure) {
    if (failure) failure_ = std::move(failure);
  });
  if (options_.rate) {
    boost::asio::co_spawn(io_, pace(), [this](std::exception_ptr failure) {
      if (failure) failure_ = std::move(failure);
    });
  }
  io_.run();
  measure_cpu(Clock::now());
  tally_.skipped = schedule_->skipped();
  publish();
  if (failure_) std::rethrow_exception(failure_);
}

void LoadThread::ended(std::exception_ptr failure) {
  --running_;
  if (failure) failure_ = std::move(failure);
}

void LoadThread::right(Clock::time_point now, Clock::duration latency, Clock::duration service, std::uint64_t bytes) {
  ++tally_.right;
  tally_.bytes += bytes;
  tally_.latency.record(latency);
  tally_.service.record(service);
  series_.right(now - window_.counted_from, latency);
}

void LoadThread::secured(Clock::time_point now, bool resumed) noexcept {
  if (now < window_.counted_from) return;
  ++tally_.handshakes;
  if (resumed) ++tally_.resumed;
}

// A server that is gone for as long as an answer may take will not come back for this run.
void LoadThread::unreachable(Clock::time_point now) {
  if (now - last_contact_ <= options_.timeout) return;
  gave_up_ = true;
  schedule_->close(now);
  schedule_->stop();
}

void LoadThread::wants_request(Connection& connection) {
  if (!options_.rate || connection.listed_ || !connection.has_room()) return;
  connection.listed_ = true;
  waiting_.push_back(&connection);
}

bool LoadThread::is_late(Ticket const& ticket, Clock::time_point now) const noexcept {
  return options_.rate && (now - ticket.due > lateness || (ticket.due < now && waiting_.empty()));
}

void LoadThread::hand_out(Clock::time_point now) {
  while (!waiting_.empty() && schedule_->next_due() <= now) {
    // It stays listed meanwhile: what goes out now found a free connection.
    auto& connection = *waiting_.front();
    if (connection.has_room()) connection.pump(now, 1);
    waiting_.pop_front();
    connection.listed_ = false;
    wants_request(connection);
  }
}

// The clock of an open loop. While no connection is free, those that become so take what is due themselves.
boost::asio::awaitable<void> LoadThread::pace() {
  boost::asio::steady_timer timer(io_);
  while (running_ > 0) {
    auto const now = Clock::now();
    hand_out(now);
    auto const due = schedule_->next_due();
    if (due == Clock::time_point::max()) co_return;
    timer.expires_at(due > now ? due : now + std::chrono::milliseconds(1));
    co_await timer.async_wait(awaited);
  }
}

// The slow clock of the thread: deadlines, stopping, progress.
boost::asio::awaitable<void> LoadThread::tick() {
  boost::asio::steady_timer timer(io_);
  while (running_ > 0) {
    auto const now = Clock::now();
    measure_cpu(now);
    publish();
    if (stop_ && stopped_at_ == Clock::time_point::max()) {
      stopped_at_ = now;
      schedule_->close(now);
    }
    auto const end = std::min(window_.end, stopped_at_);
    if (now >= end) {
      // What fell due while the generator itself was held up still goes out, as far as connections are free.
      hand_out(now);
      if (now - end >= std::min(longest_wait_after_end, options_.duration / 20)) schedule_->stop();
    }
    for (auto const& connection : connections_) connection->sweep(now);
    if (stopped_at_ != Clock::time_point::max() && now - stopped_at_ > stop_grace)
      for (auto const& connection : connections_) connection->abandon();
    timer.expires_after(tick_length);
    co_await timer.async_wait(awaited);
  }
}

void LoadThread::measure_cpu(Clock::time_point now) {
  if (now < window_.counted_from) return;
  if (wall_begin_ == Clock::time_point()) {
    wall_begin_ = now;
    cpu_begin_ = thread_cpu_time();
  }
  if (wall_end_ >= window_.end) return;
  wall_end_ = now;
  cpu_end_ = thread_cpu_time();
}

void LoadThread::publish() noexcept {
  progress_.right.store(tally_.right, std::memory_order_relaxed);
  progress_.errors.store(tally_.errors(), std::memory_order_relaxed);
  progress_.late.store(tally_.late, std::memory_order_relaxed);
}

}  // namespace deployd::bench
