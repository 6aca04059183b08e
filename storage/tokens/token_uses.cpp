#include "storage/tokens/token_uses.hpp"

#include <spdlog/spdlog.h>
#include <time.h>

#include <algorithm>
#include <utility>

#include "storage/session/session.hpp"

namespace deployd::storage {
namespace {

// With the pause before a batch this is less than the minute within which a use must be visible.
constexpr std::int64_t seconds_between_notes = 20;

// Limits memory. Far more than the tokens of any one deployd.
constexpr std::size_t most_tokens = 100'000;

// How long a batch waits for another writer of a SQLite file, or for a connection.
constexpr std::chrono::seconds patience{2};

}  // namespace

TokenUses::TokenUses(DatabaseUrl url, std::string table, std::chrono::milliseconds pause)
    : url_(std::move(url)),
      statement_("UPDATE " + table +
                 " SET last_used = :used WHERE id = :id AND (last_used IS NULL OR last_used < :used2)"),
      pause_(pause),
      writer_([this] { run(); }) {}

TokenUses::~TokenUses() {
  {
    std::lock_guard const lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  writer_.join();
}

void TokenUses::note(std::int64_t token_id, std::int64_t unix_seconds) {
  std::lock_guard const lock(mutex_);
  if (uses_.size() >= most_tokens && !uses_.contains(token_id)) return;
  auto& latest = uses_[token_id];
  latest = std::max(latest, unix_seconds);
  if (uses_.size() == 1) changed_.notify_one();
}

void TokenUses::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || !uses_.empty(); });
    changed_.wait_for(lock, pause_, [this] { return stopping_; });
    if (uses_.empty()) return;
    bool const last = stopping_;
    auto batch = std::exchange(uses_, {});
    lock.unlock();
    bool const written = write(batch);
    lock.lock();
    if (last) return;
    // If no use was recorded meanwhile, nothing is allocated, so nothing can fail.
    if (!written) uses_.merge(batch);
  }
}

bool TokenUses::write(std::map<std::int64_t, std::int64_t> const& uses) {
  try {
    try {
      auto const session = open_session(url_, Access::write, patience);
      soci::transaction transaction(*session);
      long long used = 0;
      long long id = 0;
      // Executed without being prepared: behind a pooler, another server session may not know a prepared statement.
      for (auto const& [token, when] : uses) {
        id = token;
        used = when;
        *session << statement_, soci::use(used, "used"), soci::use(id, "id"), soci::use(used, "used2");
      }
      transaction.commit();
      complained_ = false;
      return true;
    } catch (soci::soci_error const& failure) {
      auto const error = translate(failure, url_);
      if (error.code() == errc::forbidden && std::holds_alternative<PostgresqlUrl>(url_))
        throw Error(errc::forbidden,
                    error.what() + std::string("; GRANT UPDATE (last_used) ON deployd.api_tokens to its role"));
      throw error;
    }
  } catch (std::exception const& failure) {
    if (!std::exchange(complained_, true)) spdlog::warn("cannot record when tokens were last used: {}", failure.what());
    return false;
  }
}

void WorkerTokenUses::note(std::int64_t token_id) noexcept try {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME_COARSE, &now);
  auto& handed_on = handed_on_[token_id];
  if (now.tv_sec - handed_on < seconds_between_notes && now.tv_sec >= handed_on) return;
  if (handed_on_.size() > most_tokens)
    handed_on_.clear();
  else
    handed_on = now.tv_sec;
  uses_.note(token_id, now.tv_sec);
} catch (std::exception const&) {
  // Out of memory: the use is not recorded, but the request must not fail because of that.
}

}  // namespace deployd::storage
