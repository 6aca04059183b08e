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
// A request that is due just before the end may have to wait for a connection, even if the server is fast enough. It is
// still sent for a twentieth of the duration, and at most this long, after the end.
constexpr std::chrono::nanoseconds longest_wait_after_end = std::chrono::milliseconds(100);

std::chrono::nanoseconds thread_cpu_time() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

}  // namespace

LoadThread::LoadThread(Options const& options, boost::asio::ip::tcp::endpoint endpoint, Window const& window,
                       std::unique_ptr<Schedule> schedule, unsigned connections, std::atomic<bool> const& stop)
    : run_{.options = options,
           .endpoint = std::move(endpoint),
           .window = window,
           .schedule = std::move(schedule),
           .waiting = boost::circular_buffer<Connection*>(connections)},
      stop_(stop) {
  for (unsigned i = 0; i < connections; ++i) connections_.push_back(std::make_unique<Connection>(run_));
}

LoadThread::~LoadThread() = default;

void LoadThread::start(boost::asio::awaitable<void> work) {
  boost::asio::co_spawn(run_.context, std::move(work), [this](std::exception_ptr failure) {
    if (failure) failure_ = std::move(failure);
  });
}

void LoadThread::run() {
  run_.last_answer = Clock::now();
  running_ = connections_.size();
  for (auto const& connection : connections_) {
    boost::asio::co_spawn(run_.context, connection->run(), [this](std::exception_ptr failure) {
      --running_;
      if (failure) failure_ = std::move(failure);
    });
  }
  start(tick());
  if (run_.options.rate) start(pace());
  run_.context.run();
  measure_cpu(Clock::now());
  run_.tally.skipped = run_.schedule->skipped();
  publish();
  if (failure_) std::rethrow_exception(failure_);
}

void LoadThread::hand_out(Clock::time_point now) {
  auto& waiting = run_.waiting;
  while (!waiting.empty() && run_.schedule->next_due() <= now) {
    // It stays listed meanwhile: the requests sent now found a free connection.
    auto& connection = *waiting.front();
    if (connection.has_room()) connection.pump(now, 1);
    waiting.pop_front();
    connection.wait_again();
  }
}

// The clock of an open loop. While no connection is free, connections that become free take the due requests
// themselves.
boost::asio::awaitable<void> LoadThread::pace() {
  boost::asio::steady_timer timer(run_.context);
  while (running_ > 0) {
    auto const now = Clock::now();
    hand_out(now);
    auto const due = run_.schedule->next_due();
    if (due == Clock::time_point::max()) co_return;
    timer.expires_at(due > now ? due : now + std::chrono::milliseconds(1));
    co_await timer.async_wait(awaited);
  }
}

// The slow clock of the thread: deadlines, stopping, progress.
boost::asio::awaitable<void> LoadThread::tick() {
  boost::asio::steady_timer timer(run_.context);
  while (running_ > 0) {
    auto const now = Clock::now();
    measure_cpu(now);
    publish();
    if (stop_ && stopped_at_ == Clock::time_point::max()) {
      stopped_at_ = now;
      run_.schedule->close(now);
    }
    auto const end = std::min(run_.window.end, stopped_at_);
    if (now >= end) {
      // Requests that became due while the generator itself was delayed are still sent if connections are free.
      hand_out(now);
      if (now - end >= std::min(longest_wait_after_end, run_.options.duration / 20)) run_.schedule->stop();
    }
    for (auto const& connection : connections_) connection->sweep(now);
    if (stopped_at_ != Clock::time_point::max() && now - stopped_at_ > stop_grace)
      for (auto const& connection : connections_) connection->abandon();
    timer.expires_after(tick_length);
    co_await timer.async_wait(awaited);
  }
}

void LoadThread::measure_cpu(Clock::time_point now) {
  if (now < run_.window.counted_from) return;
  if (wall_begin_ == Clock::time_point()) {
    wall_begin_ = now;
    cpu_begin_ = thread_cpu_time();
  }
  if (wall_end_ >= run_.window.end) return;
  wall_end_ = now;
  cpu_end_ = thread_cpu_time();
}

void LoadThread::publish() noexcept {
  progress_.right.store(run_.tally.right, std::memory_order_relaxed);
  progress_.errors.store(run_.tally.errors(), std::memory_order_relaxed);
  progress_.late.store(run_.tally.late, std::memory_order_relaxed);
}

}  // namespace deployd::bench
