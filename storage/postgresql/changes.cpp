#include "storage/postgresql/changes.hpp"

#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/coarse_clock.hpp"
#include "base/jitter.hpp"
#include "storage/error.hpp"
#include "storage/session/postgresql_deadline.hpp"
#include "storage/session/session.hpp"

namespace deployd::storage {
namespace {

using Clock = std::chrono::steady_clock;

// Together less than the second within which a change must be detected.
constexpr std::chrono::milliseconds between_signs_of_life{250};
constexpr std::chrono::milliseconds longest_silence{500};

// How long cached responses stay valid after the last time for which all changes are known, even if the listening
// thread is prevented from noticing that notifications have stopped.
constexpr std::chrono::milliseconds longest_unheard{900};

// For connecting, and then for beginning to listen.
constexpr std::chrono::milliseconds longest_connecting{2000};
constexpr std::chrono::milliseconds first_pause{100};
constexpr std::chrono::milliseconds longest_pause{500};

// Used when reading from standbys: the primary's last response limits how fresh a standby can be proven to be.
constexpr std::chrono::milliseconds between_positions{100};

/// Waits until the connection or the eventfd is readable. Returns false after a timeout.
bool wait_for_either(int connection, int wake, std::chrono::milliseconds time) {
  std::array waiting{pollfd{connection, POLLIN, 0}, pollfd{wake, POLLIN, 0}};
  return ::poll(waiting.data(), waiting.size(), static_cast<int>(time.count())) > 0;
}

bool take_notifications(PGconn* connection) {
  bool any = false;
  while (auto* const notification = PQnotifies(connection)) {
    PQfreemem(notification);
    any = true;
  }
  return any;
}

}  // namespace

PostgresqlChanges::PostgresqlChanges(PostgresqlHosts hosts, bool listening, PrimaryWatch& primary)
    : hosts_(std::move(hosts)),
      listening_(listening),
      primary_(primary),
      between_signs_(between_signs_of_life),
      sign_of_life_(""),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (wake_ < 0) throw Error(errc::unavailable, "cannot create an eventfd");
  if (hosts_.read_from() == ReadFrom::prefer_standby || hosts_.read_from() == ReadFrom::standby) {
    between_signs_ = between_positions;
    sign_of_life_ = "SELECT pg_current_wal_flush_lsn()";
  }
  thread_ = std::jthread([this](std::stop_token const& stop) { run(stop); });
}

PostgresqlChanges::~PostgresqlChanges() {
  thread_.request_stop();
  ::eventfd_write(wake_, 1);
  thread_.join();
  ::close(wake_);
}

std::optional<std::uint64_t> PostgresqlChanges::version() const noexcept {
  auto const version = version_.load(std::memory_order_acquire);
  if (version % 2 == 0) return std::nullopt;
  if (base::coarse_now() - all_heard_until_.load(std::memory_order_relaxed) > longest_unheard) return std::nullopt;
  return version;
}

ChangeFeed PostgresqlChanges::state() const noexcept {
  auto const version = version_.load(std::memory_order_acquire);
  ChangeFeed feed{"listen", version % 2 != 0, {}, version / 2};
  if (feed.up) feed.lag = Clock::now() - all_heard_until_.load(std::memory_order_relaxed);
  return feed;
}

void PostgresqlChanges::run(std::stop_token const& stop) {
  auto pause = first_pause;
  while (!stop.stop_requested()) {
    auto const begun = Clock::now();
    try {
      listen(stop);
    } catch (soci::soci_error const& failure) {
      spdlog::debug("cannot detect changes of the store: {}", translate(failure, hosts_.url()).what());
    } catch (std::exception const& failure) {
      spdlog::debug("cannot detect changes of the store: {}", failure.what());
    }
    if (version_ % 2 != 0) ++version_;
    if (stop.stop_requested()) return;
    pause = Clock::now() - begun > longest_pause ? first_pause : std::min(pause * 2, longest_pause);
    wait_for_either(-1, wake_, base::jittered(pause));
  }
}

std::unique_ptr<soci::session> PostgresqlChanges::open() {
  constexpr auto role = PostgresqlHosts::Role::primary;
  std::size_t host = 0;
  if (hosts_.several()) {
    auto const found = hosts_.find(role);
    if (!found) throw Error(errc::unavailable, "none of the hosts is the primary");
    host = *found;
  }
  auto session = open_session(hosts_.url(host, role), Access::read, longest_connecting);
  primary_.arrived(host);
  return session;
}

bool PostgresqlChanges::take_sign(PGresult const& sign, Clock::time_point asked) {
  auto const status = PQresultStatus(&sign);
  if (status != PGRES_TUPLES_OK) return status == PGRES_COMMAND_OK || status == PGRES_EMPTY_QUERY;
  if (auto const position = parse_log_position(PQgetvalue(&sign, 0, 0))) primary_.tell(*position, asked);
  return true;
}

void PostgresqlChanges::listen(std::stop_token const& stop) {
  auto const session = open();
  auto* const connection = postgresql_connection(*session);
  if (listening_) {
    PostgresqlDeadline const deadline(connection, longest_connecting);
    *session << "LISTEN deployd_change";
  }
  auto asked = Clock::now();
  all_heard_until_.store(asked, std::memory_order_relaxed);
  ++version_;  // odd: all changes made while not listening count as one
  bool waiting_for_sign = false;
  while (!stop.stop_requested()) {
    auto const due = asked + (waiting_for_sign ? longest_silence : between_signs_);
    auto const time = std::chrono::ceil<std::chrono::milliseconds>(due - Clock::now());
    wait_for_either(PQsocket(connection), wake_, std::max(time, std::chrono::milliseconds(0)));
    if (PQconsumeInput(connection) == 0) return;
    if (take_notifications(connection)) version_ += 2;
    while (waiting_for_sign && PQisBusy(connection) == 0) {
      PostgresqlResult const sign(PQgetResult(connection));
      if (!sign) {
        waiting_for_sign = false;
        all_heard_until_.store(asked, std::memory_order_relaxed);
      } else if (!take_sign(*sign, asked)) {
        return;
      }
    }
    if (take_notifications(connection)) version_ += 2;
    auto const silent = Clock::now() - asked;
    if (waiting_for_sign && silent >= longest_silence) return;
    if (waiting_for_sign || silent < between_signs_) continue;
    asked = Clock::now();
    if (PQsendQuery(connection, sign_of_life_) == 0) return;
    waiting_for_sign = true;
  }
}

std::uint64_t timed_version(std::chrono::milliseconds step) noexcept {
  return static_cast<std::uint64_t>(base::coarse_now().time_since_epoch() / step);
}

}  // namespace deployd::storage
