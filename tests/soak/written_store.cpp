#include "tests/soak/written_store.hpp"

#include <condition_variable>

#include "storage/schema/schema.hpp"
#include "storage/session/session.hpp"

namespace deployd::tests {

WrittenStore::WrittenStore(storage::DatabaseUrl url, std::chrono::milliseconds staleness)
    : url_(std::move(url)), staleness_(staleness) {
  storage::migrate(url_, {});
  session_ = storage::open_session(url_, storage::Access::write, std::chrono::seconds(30));
  if (std::holds_alternative<storage::PostgresqlUrl>(url_)) *session_ << "SET search_path = deployd";
  fill();
  commits_.push_back({Clock::now() - staleness_, 1});
}

WrittenStore::~WrittenStore() {
  stop_writing();
}

void WrittenStore::fill() {
  auto& sql = *session_;
  soci::transaction transaction(sql);
  for (int pattern = 1; pattern <= still_patterns; ++pattern)
    sql << "INSERT INTO patterns (id, name) VALUES (" << pattern << ", 'P" << pattern << "')";
  sql << "INSERT INTO patterns (id, name) VALUES (1000, 'CHANGING')";
  sql << "INSERT INTO deployments (id, pattern_id, name) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM "
         "n "
         "WHERE i < "
      << still_rows << ") SELECT i, 1 + i % " << still_patterns << ", 'deployment ' || i FROM n";
  for (int const id : {first_changing, second_changing})
    sql << "INSERT INTO deployments (id, pattern_id, name) VALUES (" << id << ", 1000, 'v1')";
  transaction.commit();
}

void WrittenStore::write(std::uint64_t version) {
  begun_ = version;
  soci::transaction transaction(*session_);
  for (int const id : {first_changing, second_changing})
    *session_ << "UPDATE deployments SET name = 'v" << version << "' WHERE id = " << id;
  transaction.commit();
  std::scoped_lock const lock(mutex_);
  commits_.push_back({Clock::now(), version});
}

void WrittenStore::start_writing() {
  writer_ = std::jthread([this](std::stop_token stop) {
    std::mutex idle;
    std::condition_variable_any stopped;
    std::unique_lock lock(idle);
    for (std::uint64_t version = 2; !stop.stop_requested(); ++version) {
      write(version);
      stopped.wait_for(lock, stop, std::chrono::milliseconds(100), [] { return false; });
    }
  });
}

void WrittenStore::stop_writing() {
  if (writer_.joinable()) {
    writer_.request_stop();
    writer_.join();
  }
}

std::uint64_t WrittenStore::least_version() {
  std::scoped_lock const lock(mutex_);
  auto const due = Clock::now() - staleness_;
  while (commits_.size() > 1 && commits_[1].time <= due) commits_.pop_front();
  return commits_.front().version;
}

}  // namespace deployd::tests
