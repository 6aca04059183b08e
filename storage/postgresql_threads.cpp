#include "storage/postgresql_threads.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <random>
#include <utility>

namespace deployd::storage {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds first_pause{50};
constexpr milliseconds longest_pause{2000};
constexpr std::chrono::seconds between_complaints{10};

/// Half of `time` to all of it, so that many servers do not come back at the same moment.
milliseconds jittered(milliseconds time) {
  thread_local std::minstd_rand random{std::random_device{}()};
  return milliseconds(std::uniform_int_distribution<milliseconds::rep>(time.count() / 2, time.count())(random));
}

}  // namespace

void Outstanding::enter() {
  std::scoped_lock const lock(mutex_);
  ++count_;
}

void Outstanding::leave() {
  // Told under the lock: who waits destroys this object as soon as it is let go.
  std::scoped_lock const lock(mutex_);
  if (--count_ == 0) none_.notify_all();
}

void Outstanding::wait_for_none() {
  std::unique_lock lock(mutex_);
  none_.wait(lock, [this] { return count_ == 0; });
}

boost::system::result<std::unique_ptr<PostgresqlQueries>> Connecting::connect() {
  {
    std::scoped_lock const lock(mutex_);
    auto const now = Clock::now();
    if (pause_.count() != 0) {
      if (now < next_try_) return make_error_code(errc::unavailable);
      next_try_ = now + source_.timeout;  // nobody else tries while this one does
    }
  }
  try {
    auto session = std::make_unique<PostgresqlQueries>(source_);
    std::scoped_lock const lock(mutex_);
    if (std::exchange(pause_, milliseconds(0)).count() != 0) spdlog::info("the store is back");
    return session;
  } catch (std::exception const& failure) {
    complain(errc::unavailable, failure.what());
    std::scoped_lock const lock(mutex_);
    pause_ = std::clamp(pause_ * 2, first_pause, longest_pause);
    next_try_ = Clock::now() + jittered(pause_);
    return make_error_code(errc::unavailable);
  }
}

void Connecting::complain(boost::system::error_code failure, std::string const& why) {
  {
    std::scoped_lock const lock(mutex_);
    if (Clock::now() < next_complaint_) return;
    next_complaint_ = Clock::now() + between_complaints;
  }
  spdlog::error("{}: {}", failure.message(), why);
}

PostgresqlThreads::PostgresqlThreads(std::size_t threads, std::size_t most_waiting) : most_waiting_(most_waiting) {
  for (std::size_t index = 0; index < threads; ++index) threads_.emplace_back([this] { run(); });
}

PostgresqlThreads::~PostgresqlThreads() {
  {
    std::scoped_lock const lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  for (auto& thread : threads_) thread.join();
}

bool PostgresqlThreads::submit(Work work, Outstanding& outstanding) {
  {
    std::scoped_lock const lock(mutex_);
    if (jobs_.size() >= most_waiting_) return false;
    outstanding.enter();
    jobs_.push_back({std::move(work), &outstanding});
  }
  changed_.notify_one();
  return true;
}

void PostgresqlThreads::run() {
  Session session;
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
    if (jobs_.empty()) return;
    auto job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    job.work(session);
    job.work = nullptr;  // what it holds may be of the worker's loop, which lives until the job has left
    job.outstanding->leave();
    lock.lock();
  }
}

}  // namespace deployd::storage
