#include "storage/postgresql/connector.hpp"

#include <algorithm>
#include <thread>
#include <utility>

#include "base/jitter.hpp"
#include "storage/error.hpp"

namespace deployd::storage {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds first_pause{50};
constexpr milliseconds longest_pause{500};

// The pause before a result is handed over again after memory ran out.
constexpr milliseconds memory_pause{10};

}  // namespace

void WorkerLoop::close() {
  std::scoped_lock const lock(mutex_);
  executor_.reset();
}

PostgresqlConnector::~PostgresqlConnector() {
  stopping_ = true;
  threads_.stop();
  threads_.join();
}

bool PostgresqlConnector::open(std::shared_ptr<WorkerLoop> worker, SessionUse use, Done done) {
  {
    std::scoped_lock const lock(mutex_);
    if (pause_.count() != 0 && Clock::now() < next_try_) return false;
  }
  // The threads continue when memory runs out: the memory for a result is allocated here, on the worker's thread.
  auto const request =
      std::make_shared<Request>(Request{.worker = std::move(worker), .use = use, .done = std::move(done)});
  boost::asio::post(threads_, [this, request]() noexcept {
    if (may_try()) request->result = connect(request->use);
    hand_over(request);
  });
  return true;
}

/// True if it is time for another attempt, which the caller must then make.
bool PostgresqlConnector::may_try() noexcept {
  std::scoped_lock const lock(mutex_);
  if (pause_.count() == 0) return true;
  auto const now = Clock::now();
  if (now < next_try_) return false;
  next_try_ = now + source_.timeout;  // no other thread tries meanwhile
  return true;
}

PostgresqlConnector::Result PostgresqlConnector::connect(SessionUse use) noexcept {
  OpenedPostgresql opened;
  try {
    opened = open_postgresql(source_, use);
  } catch (std::exception const& failure) {
    state_.lost(make_error_code(errc::unavailable), failure.what());
    std::scoped_lock const lock(mutex_);
    pause_ = std::clamp(pause_ * 2, first_pause, longest_pause);
    next_try_ = Clock::now() + base::jittered(pause_);
    return make_error_code(errc::unavailable);
  }
  state_.found();
  std::scoped_lock const lock(mutex_);
  pause_ = milliseconds(0);
  return opened;
}

/// Makes the worker call `done`. Waits until there is memory for that, or until the end.
void PostgresqlConnector::hand_over(std::shared_ptr<Request> const& request) noexcept {
  while (!stopping_) {
    try {
      return request->worker->post([request] { request->done(std::move(request->result)); });
    } catch (std::exception const&) {
      std::this_thread::sleep_for(memory_pause);
    }
  }
}

}  // namespace deployd::storage
