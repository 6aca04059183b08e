#include "routing/store_probe.hpp"

#include <boost/asio/this_coro.hpp>

#include <utility>

#include "storage/error.hpp"

namespace deployd::routing {

storage::Answer<bool> StoreProbe::ask() {
  if (auto ping = under_way_.lock()) {
    co_await ping->wait();  // a ping has the same deadline as every query to the store
    co_return ping->value;
  }
  if (last_ && Clock::now() < fresh_until_) co_return *last_;

  // Wakes the other callers however this coroutine ends, including by an exception.
  struct FinishAtEnd {
    std::shared_ptr<Ping> ping;
    ~FinishAtEnd() { ping->finish(ping->value); }
  };
  auto const worker = co_await boost::asio::this_coro::executor;
  FinishAtEnd const begun{
      std::make_shared<Ping>(worker, Clock::time_point::max(), storage::make_error_code(storage::errc::unavailable))};
  under_way_ = begun.ping;
  auto const answered = co_await store_.ping();
  under_way_.reset();
  begun.ping->value = answered;
  last_ = answered;
  fresh_until_ = Clock::now() + fresh_for;
  co_return answered;
}

}  // namespace deployd::routing
