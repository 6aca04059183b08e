#include "bench/generator.hpp"

#include <sys/resource.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <algorithm>
#include <exception>
#include <future>
#include <memory>
#include <vector>

#include "bench/load_thread.hpp"
#include "bench/tls.hpp"

namespace deployd::bench {
namespace {

using boost::asio::ip::tcp;

// Performs a handshake first: no load is put on a server that is not trusted. Other failures are counted during the
// run.
void require_trusted(Options const& options, boost::asio::io_context& io, tcp::socket& socket) {
  TlsClient const client(options.url.host, options.tls);
  TlsSession session;
  boost::system::error_code ignored;
  socket.non_blocking(true, ignored);
  auto const stream = client.connect(socket.native_handle(), session);
  std::optional<Fault> fault;
  boost::asio::co_spawn(io, shake_hands(socket, *stream),
                        [&](std::exception_ptr const&, std::optional<Fault> outcome) { fault = std::move(outcome); });
  io.restart();
  io.run_for(options.timeout);
  if (!fault || fault->kind != Failure::certificate) return;
  throw NobodyThere(options.url.authority + " is not trusted: " + fault->reason +
                    "; --ca FILE says whom to trust, --insecure trusts anybody");
}

// Finds the first address of the host that accepts a connection.
tcp::endpoint reachable_endpoint(Options const& options) {
  boost::asio::io_context io;
  boost::system::error_code error;
  tcp::resolver resolver(io);
  auto const candidates = resolver.resolve(options.url.host, options.url.port, error);
  if (error) throw NobodyThere("cannot resolve " + options.url.host + ": " + error.message());
  tcp::socket socket(io);
  tcp::endpoint found;
  error = boost::asio::error::timed_out;
  boost::asio::async_connect(socket, candidates, [&](boost::system::error_code outcome, tcp::endpoint const& endpoint) {
    error = outcome;
    found = endpoint;
  });
  io.run_for(options.timeout);
  if (error) throw NobodyThere("nobody answers at " + options.url.authority + ": " + error.message());
  if (options.url.secure && !options.tls.insecure) require_trusted(options, io, socket);
  return found;
}

// Raises the limit on open files so that each connection can have one, as far as permitted.
void allow_connections(unsigned connections) {
  rlim_t const wanted = connections + 64;
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted) return;
  rlimit const raised{wanted, std::max(wanted, limit.rlim_max)};
  if (setrlimit(RLIMIT_NOFILE, &raised) == 0) return;
  throw UsageError("--connections: this process may have " + std::to_string(limit.rlim_max) +
                   " files open (ulimit -n)");
}

Window window_of(Options const& options) {
  Window window;
  window.start = Clock::now();
  window.counted_from = window.start + options.warmup;
  window.end = options.requests ? Clock::time_point::max() : window.counted_from + options.duration;
  window.requests = options.requests;
  return window;
}

std::vector<std::unique_ptr<LoadThread>> load_threads(Options const& options, tcp::endpoint const& endpoint,
                                                      Window const& window, ClosedLoopCounters& counters,
                                                      std::atomic<bool> const& stop) {
  std::vector<std::unique_ptr<LoadThread>> threads;
  for (unsigned i = 0; i < options.threads; ++i) {
    std::unique_ptr<Schedule> schedule;
    if (options.rate) {
      schedule = std::make_unique<OpenLoop>(window, *options.rate, i, options.threads);
    } else {
      schedule = std::make_unique<ClosedLoop>(window, counters);
    }
    auto const connections =
        options.connections / options.threads + (i < options.connections % options.threads ? 1 : 0);
    threads.push_back(std::make_unique<LoadThread>(options, endpoint, window, std::move(schedule), connections, stop));
  }
  return threads;
}

Standing standing(std::vector<std::unique_ptr<LoadThread>> const& threads, Window const& window) {
  Standing sum{Clock::now() - window.counted_from, 0, 0, 0};
  for (auto const& thread : threads) {
    sum.right += thread->progress().right.load(std::memory_order_relaxed);
    sum.errors += thread->progress().errors.load(std::memory_order_relaxed);
    sum.late += thread->progress().late.load(std::memory_order_relaxed);
  }
  return sum;
}

}  // namespace

Results generate(Options const& options, std::atomic<bool> const& stop, std::chrono::milliseconds observe_every,
                 std::function<void(Standing const&)> const& observer) {
  allow_connections(options.connections);
  Results results;
  results.when = std::chrono::system_clock::now();
  ClosedLoopCounters counters;
  auto const endpoint = reachable_endpoint(options);
  auto const window = window_of(options);
  auto threads = load_threads(options, endpoint, window, counters, stop);

  std::vector<std::future<void>> running;
  running.reserve(threads.size());
  for (auto const& thread : threads) running.push_back(std::async(std::launch::async, [&thread] { thread->run(); }));
  for (auto const& thread : running)
    while (thread.wait_for(observe_every) != std::future_status::ready) observer(standing(threads, window));
  for (auto& thread : running) thread.get();

  std::chrono::nanoseconds cpu{}, wall{};
  auto last_answer = window.counted_from;
  for (auto const& thread : threads) {
    auto& run = thread->results();
    results.tally.merge(run.tally);
    results.series.merge(std::move(run.series));
    cpu += thread->cpu_time();
    wall += thread->wall_time();
    last_answer = std::max(last_answer, run.last_answer);
    results.gave_up = results.gave_up || run.gave_up;
  }
  results.interrupted = stop;
  results.duration = std::min(last_answer, window.end) - window.counted_from;
  if (!options.requests && !stop) results.duration = options.duration;
  if (wall.count() > 0) results.generator_cpu = static_cast<double>(cpu.count()) / static_cast<double>(wall.count());
  return results;
}

}  // namespace deployd::bench
