#include "routing/store_probe.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include <utility>

#include "base/wait_for_outcome.hpp"
#include "storage/error.hpp"

namespace deployd::routing {

/// A ping, and the coroutines that wait for it.
struct StoreProbe::Ping {
  explicit Ping(boost::asio::any_io_executor const& worker) : timer(worker, Clock::time_point::max()) {}

  void finish() {
    done = true;
    timer.cancel();
  }

  boost::asio::steady_timer timer;
  bool done = false;
  boost::system::result<bool> answered = storage::make_error_code(storage::errc::unavailable);
};

storage::Answer<bool> StoreProbe::ask() {
  if (auto ping = under_way_.lock()) {
    auto const answered = co_await wait_for(std::move(ping));
    co_return answered;
  }
  if (last_ && Clock::now() < fresh_until_) co_return *last_;

  // Wakes the other callers however this coroutine ends, including by an exception.
  struct FinishAtEnd {
    std::shared_ptr<Ping> ping;
    ~FinishAtEnd() { ping->finish(); }
  };
  auto const worker = co_await boost::asio::this_coro::executor;
  FinishAtEnd const begun{std::make_shared<Ping>(worker)};
  under_way_ = begun.ping;
  auto const answered = co_await store_.ping();
  under_way_.reset();
  begun.ping->answered = answered;
  last_ = answered;
  fresh_until_ = Clock::now() + fresh_for;
  co_return answered;
}

/// A ping has the same deadline as every query to the store.
storage::Answer<bool> StoreProbe::wait_for(std::shared_ptr<Ping> ping) {
  co_await base::wait_for_outcome(ping->timer, ping->done);
  co_return ping->answered;
}

}  // namespace deployd::routing
