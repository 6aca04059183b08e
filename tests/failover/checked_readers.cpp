#include "tests/failover/checked_readers.hpp"

#include <algorithm>
#include <charconv>
#include <exception>
#include <optional>
#include <string_view>
#include <utility>

#include "tests/integration/running_deployd.hpp"

namespace deployd::tests {
namespace {

using namespace std::chrono_literals;

std::optional<std::uint64_t> number_in(std::string_view body) {
  constexpr std::string_view before = R"({"id":1,"pattern_id":1,"name":")";
  std::uint64_t number = 0;
  if (!body.starts_with(before) || !body.ends_with("\"}")) return std::nullopt;
  body = body.substr(before.size(), body.size() - before.size() - 2);
  auto const read = std::from_chars(body.data(), body.data() + body.size(), number);
  if (read.ec != std::errc() || read.ptr != body.data() + body.size()) return std::nullopt;
  return number;
}

}  // namespace

CheckedReaders::CheckedReaders(std::uint16_t port, std::string const& token, CounterHistory const& history, int clients)
    : port_(port), request_(request("GET", "/api/v1/deployments/1", bearer(token))), history_(history) {
  for (int i = 0; i < clients; ++i) threads_.emplace_back([this] { run(); });
}

CheckedReaders::~CheckedReaders() {
  stop();
}

bool CheckedReaders::wait_for_answer(Clock::time_point since, Clock::time_point deadline) const {
  while (Clock::now() < deadline) {
    {
      std::scoped_lock const lock(mutex_);
      if (last_answered_sent_ > since) return true;
    }
    std::this_thread::sleep_for(1ms);
  }
  return false;
}

ReadTally CheckedReaders::take() {
  std::scoped_lock const lock(mutex_);
  return std::exchange(tally_, {});
}

ReadTally CheckedReaders::stop() {
  stopping_ = true;
  for (auto& thread : threads_) thread.join();
  threads_.clear();
  return take();
}

void CheckedReaders::run() {
  while (!stopping_) {
    try {
      HttpConnection connection(port_);
      while (!stopping_) ask(connection);
    } catch (std::exception const& failure) {
      std::scoped_lock const lock(mutex_);
      ++tally_.lost;
      if (tally_.first_fault.empty()) tally_.first_fault = failure.what();
    }
  }
}

void CheckedReaders::ask(HttpConnection& connection) {
  auto const sent = Clock::now();
  auto const answer = connection.ask(request_);
  note(answer, sent);
  // A 503 is returned at once, and no client would repeat the request without a pause.
  std::this_thread::sleep_for(answer.status == 200 ? 200us : 2ms);
}

void CheckedReaders::note(HttpAnswer const& answer, Clock::time_point sent) {
  auto const least = history_.least(sent);
  auto const most = history_.most();
  auto const number = answer.status == 200 ? number_in(answer.body) : std::nullopt;
  std::scoped_lock const lock(mutex_);
  ++tally_.sent;
  auto const now = Clock::now();
  tally_.longest_wait =
      std::max(tally_.longest_wait, std::chrono::duration_cast<std::chrono::milliseconds>(now - sent));
  if (number && *number >= least && *number <= most) {
    ++tally_.answered;
    auto const gap = std::chrono::duration_cast<std::chrono::milliseconds>(now - std::exchange(last_answer_, now));
    tally_.longest_gap = std::max(tally_.longest_gap, gap);
    last_answered_sent_ = std::max(last_answered_sent_, sent);
  } else if (answer.status == 503 && answer.has("Retry-After")) {
    ++tally_.unavailable;
  } else {
    ++tally_.wrong;
    if (tally_.first_fault.empty())
      tally_.first_fault =
          answer.head + "\n" + answer.body + "\nleast " + std::to_string(least) + " most " + std::to_string(most);
  }
}

}  // namespace deployd::tests
