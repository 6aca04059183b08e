#include "tests/restarts/load.hpp"

#include <algorithm>
#include <exception>
#include <utility>

namespace deployd::tests {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

void note_fault(LoadTally& tally, std::uint64_t& kind, std::string const& what) {
  ++kind;
  if (tally.first_fault.empty()) tally.first_fault = what;
}

}  // namespace

LoadTally& LoadTally::operator+=(LoadTally const& other) {
  sent += other.sent;
  answered += other.answered;
  wrong += other.wrong;
  lost += other.lost;
  refused += other.refused;
  connections += other.connections;
  last_answers += other.last_answers;
  longest = std::max(longest, other.longest);
  if (first_fault.empty()) first_fault = other.first_fault;
  return *this;
}

Load::Load(std::uint16_t port, std::string request, std::string body, int clients)
    : port_(port), request_(std::move(request)), body_(std::move(body)), tallies_(static_cast<std::size_t>(clients)) {
  for (auto& tally : tallies_) clients_.emplace_back([this, &tally] { run(tally); });
}

Load::~Load() {
  stop();
}

void Load::wait_for_answers(std::uint64_t count) const {
  auto const wanted = done_.load() + count;
  for (auto done = done_.load(); done < wanted; done = done_.load()) done_.wait(done);
}

LoadTally Load::stop() {
  stopping_ = true;
  for (auto& client : clients_) client.join();
  clients_.clear();
  LoadTally all;
  for (auto const& tally : std::exchange(tallies_, {})) all += tally;
  return all;
}

void Load::run(LoadTally& tally) {
  std::unique_ptr<HttpConnection> connection;
  while (!stopping_) {
    auto const start = Clock::now();
    ask_once(connection, tally);
    auto const took = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - start);
    tally.longest = std::max(tally.longest, took);
    ++done_;
    done_.notify_all();
  }
}

void Load::ask_once(std::unique_ptr<HttpConnection>& connection, LoadTally& tally) const {
  // Nothing is awaited: what can be read is the end of the connection.
  if (connection && connection->has_bytes_within(0ms)) connection.reset();
  if (!connection) {
    try {
      connection = std::make_unique<HttpConnection>(port_);
      ++tally.connections;
    } catch (std::exception const& error) {
      return note_fault(tally, tally.refused, error.what());
    }
  }
  try {
    ++tally.sent;
    auto const answer = connection->ask(request_);
    if (answer.status == 200 && answer.body == body_)
      ++tally.answered;
    else
      note_fault(tally, tally.wrong, answer.head);
    if (answer["Connection"] != "close") return;
    ++tally.last_answers;
  } catch (std::exception const& error) {
    note_fault(tally, tally.lost, error.what());
  }
  connection.reset();
}

}  // namespace deployd::tests
