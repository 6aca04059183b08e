#include "storage/postgresql/connector.hpp"

#include <algorithm>
#include <utility>

#include "base/jitter.hpp"
#include "storage/error.hpp"

namespace deployd::storage {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// More than one, so that a server that is slow to accept one connection does not delay the others.
constexpr std::size_t tries_at_once = 2;

constexpr milliseconds first_pause{50};
constexpr milliseconds longest_pause{500};

// The pause before a result is handed over again after memory ran out.
constexpr milliseconds memory_pause{10};

}  // namespace

void WorkerLoop::close() {
  std::scoped_lock const lock(mutex_);
  executor_.reset();
}

PostgresqlConnector::PostgresqlConnector(PostgresqlSource source) : source_(std::move(source)) {
  for (std::size_t index = 0; index < tries_at_once; ++index) threads_.emplace_back([this] { run(); });
}

PostgresqlConnector::~PostgresqlConnector() {
  {
    std::scoped_lock const lock(mutex_);
    stopping_ = true;
    requests_.clear();
  }
  changed_.notify_all();
  for (auto& thread : threads_) thread.join();
}

bool PostgresqlConnector::open(std::shared_ptr<WorkerLoop> worker, SessionUse use, Done done) {
  {
    std::scoped_lock const lock(mutex_);
    if (pause_.count() != 0 && Clock::now() < next_try_) return false;
    requests_.push_back(std::make_shared<Request>(std::move(worker), use, std::move(done)));
  }
  changed_.notify_one();
  return true;
}

// The threads continue when memory runs out: `open` allocates the memory for a result, on the worker's thread.

void PostgresqlConnector::run() noexcept {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || !requests_.empty(); });
    if (stopping_) return;
    auto request = std::move(requests_.front());
    requests_.pop_front();
    bool const trying = may_try();
    lock.unlock();
    if (trying) request->result = connect(request->use);
    hand_over(request);
    request.reset();
    lock.lock();
  }
}

/// True if it is time for another attempt, which the caller must then make.
bool PostgresqlConnector::may_try() noexcept {
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
  while (true) {
    try {
      request->worker->post([request] { request->done(std::move(request->result)); });
      return;
    } catch (std::exception const&) {
      std::unique_lock lock(mutex_);
      if (changed_.wait_for(lock, memory_pause, [this] { return stopping_; })) return;
    }
  }
}

}  // namespace deployd::storage
