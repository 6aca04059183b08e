#include "bench/thread_run.hpp"

#include <utility>

namespace deployd::bench {
namespace {

// A request that is sent this long after it was due is late even if connections were free.
constexpr auto lateness = std::chrono::milliseconds(1);

}  // namespace

ThreadRun::ThreadRun(Options const& options, boost::asio::ip::tcp::endpoint endpoint, Window const& window,
                     std::unique_ptr<Schedule> schedule, unsigned connections)
    : options_(options),
      endpoint_(std::move(endpoint)),
      window_(window),
      schedule_(std::move(schedule)),
      // Only one thread runs it and posts to it, so it needs no locks.
      io_(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE),
      tls_(options.url.secure ? std::make_unique<TlsClient>(options.url.host, options.tls) : nullptr),
      body_check_(options.expect_body),
      after_target_(" HTTP/1.1\r\n" + options.fields + "\r\n"),
      waiting_(connections) {}

void ThreadRun::right(Clock::time_point now, Clock::duration latency, Clock::duration service, std::uint64_t bytes) {
  ++tally_.right;
  tally_.bytes += bytes;
  tally_.latency.record(latency);
  tally_.service.record(service);
  series_.right(now - window_.counted_from, latency);
}

void ThreadRun::secured(Clock::time_point now, bool resumed) noexcept {
  if (now < window_.counted_from) return;
  ++tally_.handshakes;
  if (resumed) ++tally_.resumed;
}

// A server that is gone for as long as a response may take will not return during this run.
void ThreadRun::unreachable(Clock::time_point now) {
  if (now - last_contact_ <= options_.timeout) return;
  gave_up_ = true;
  schedule_->close(now);
  schedule_->stop();
}

bool ThreadRun::is_late(Ticket const& ticket, Clock::time_point now) const noexcept {
  return options_.rate && (now - ticket.due > lateness || (ticket.due < now && waiting_.empty()));
}

}  // namespace deployd::bench
