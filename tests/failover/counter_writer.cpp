#include "tests/failover/counter_writer.hpp"

#include <algorithm>
#include <exception>

#include "storage/database_url.hpp"
#include "storage/session/session.hpp"

namespace deployd::tests {

using namespace std::chrono_literals;

std::uint64_t CounterHistory::begin() {
  std::scoped_lock const lock(mutex_);
  return ++begun_;
}

void CounterHistory::committed(std::uint64_t number) {
  std::scoped_lock const lock(mutex_);
  committed_.emplace_back(Clock::now(), number);
  // The numbers of the last seconds are enough, and one from before.
  while (committed_.size() > 1 && committed_[1].first < Clock::now() - 60s) committed_.pop_front();
}

std::uint64_t CounterHistory::least(Clock::time_point sent) const {
  std::scoped_lock const lock(mutex_);
  auto const behind =
      std::ranges::lower_bound(committed_, sent - 1s, {}, [](auto const& entry) { return entry.first; });
  return behind == committed_.begin() ? 0 : std::prev(behind)->second;
}

std::uint64_t CounterHistory::most() const {
  std::scoped_lock const lock(mutex_);
  return begun_;
}

CounterWriter::CounterWriter(std::string url, CounterHistory& history)
    : url_(std::move(url)), history_(history), thread_([this](std::stop_token const& stop) { run(stop); }) {}

void CounterWriter::run(std::stop_token const& stop) {
  while (!stop.stop_requested()) {
    try {
      write_on_one_session(stop);
    } catch (std::exception const&) {
      // The primary is away; another one may be found.
      std::this_thread::sleep_for(20ms);
    }
  }
}

void CounterWriter::write_on_one_session(std::stop_token const& stop) {
  auto const session = storage::open_session(*storage::parse_database_url(url_), storage::Access::write, 1s);
  while (!stop.stop_requested()) {
    auto const number = history_.begin();
    *session << "UPDATE deployd.deployments SET name = '" << number << "' WHERE id = 1";
    history_.committed(number);
    std::this_thread::sleep_for(5ms);
  }
}

}  // namespace deployd::tests
