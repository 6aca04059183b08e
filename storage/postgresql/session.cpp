#include "storage/postgresql/session.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "storage/error.hpp"

namespace deployd::storage {

using boost::asio::awaitable;
using boost::asio::posix::stream_descriptor;
using boost::system::error_code;
using boost::system::result;
using Clock = std::chrono::steady_clock;

namespace {

constexpr std::chrono::milliseconds between_looks{200};

// How often a standby in use must prove again that it is fresh.
constexpr std::chrono::milliseconds between_proofs{50};

constexpr auto without_exceptions = boost::asio::as_tuple(boost::asio::use_awaitable);

}  // namespace

PostgresqlSession::PostgresqlSession(boost::asio::any_io_executor worker, OpenedPostgresql opened,
                                     PostgresqlSource const& source)
    : source_(source),
      opened_(std::move(opened)),
      execution_(*opened_.session),
      socket_(worker, execution_.socket()),
      timer_(worker) {}

PostgresqlSession::~PostgresqlSession() {
  socket_.release();
}

bool PostgresqlSession::usable() const noexcept {
  return !broken_ && Clock::now() < opened_.replace_at && !primary_moved();
}

bool PostgresqlSession::primary_moved() const noexcept {
  return source_.primary.moves() != opened_.moves ||
         (opened_.arrivals && source_.primary.arrivals() != *opened_.arrivals);
}

error_code PostgresqlSession::fail(PGresult const* result) {
  auto const* const field = result == nullptr ? nullptr : PQresultErrorField(result, PG_DIAG_SQLSTATE);
  std::string_view const state = field == nullptr ? "" : field;
  message_ = first_line_without_passwords(execution_.message(result), DatabaseUrl(source_.hosts.url()));
  if (state == "42501") message_ += "; `deployd check` names the GRANT that mends it";
  if (!execution_.connected() || state.starts_with("57P")) broken_ = true;
  // A prepared statement that does not exist any more, or whose types have changed: a new session prepares it again.
  if (state == "26000" || state == "0A000") broken_ = true;
  // The query conflicted with the replay on a standby: another session may use another host.
  if (state == "40001") broken_ = true;
  if (state == "57014") return errc::timeout;
  if (state.starts_with("XX00")) return errc::corrupt;
  return errc::unavailable;
}

error_code PostgresqlSession::fail_overdue() {
  broken_ = true;  // its response may still arrive, and would be taken for that to the next query
  message_ = "no answer in time";
  return errc::timeout;
}

/// Waits until the socket is ready, or for a moment. Returns false when the statement has taken too long.
awaitable<bool> PostgresqlSession::wait(stream_descriptor::wait_type direction) {
  if (Clock::now() >= deadline_) co_return false;
  // A primary that froze while another took its place sends nothing, so the wait must end earlier then.
  auto const look = source_.hosts.several() ? Clock::now() + between_looks : deadline_;
  timer_.expires_at(std::min(look, deadline_));
  timer_.async_wait([self = shared_from_this()](error_code cancelled) {
    if (!cancelled) self->socket_.cancel();
  });
  auto const [interrupted] = co_await socket_.async_wait(direction, without_exceptions);
  timer_.cancel();
  co_return !interrupted || (Clock::now() < deadline_ && !primary_moved());
}

awaitable<error_code> PostgresqlSession::flush() {
  for (int unsent = execution_.flush(); unsent != 0; unsent = execution_.flush()) {
    if (unsent < 0) co_return fail(nullptr);
    // The server may have to send something before it accepts more.
    if (!execution_.receive()) co_return fail(nullptr);
    bool const in_time = co_await wait(stream_descriptor::wait_write);
    if (!in_time) co_return fail_overdue();
  }
  co_return error_code();
}

/// Returns the result of the statement that was just sent.
awaitable<result<PostgresqlRows>> PostgresqlSession::result_of(bool sent) {
  if (!sent) co_return fail(nullptr);
  auto const failed = co_await flush();
  if (failed) co_return failed;
  PostgresqlResult last;
  while (true) {
    while (execution_.busy()) {
      bool const in_time = co_await wait(stream_descriptor::wait_read);
      if (!in_time) co_return fail_overdue();
      if (!execution_.receive()) co_return fail(nullptr);
    }
    auto next = execution_.next_result();
    if (!next) break;
    last = std::move(next);
  }
  if (!last) co_return fail(nullptr);
  auto const status = PQresultStatus(last.get());
  if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) co_return fail(last.get());
  co_return PostgresqlRows(std::move(last));
}

/// Fails on a standby that lags. A list that has begun is read from its snapshot.
awaitable<error_code> PostgresqlSession::prove_fresh() {
  if (!opened_.complete_until || !execution_.idle()) co_return error_code();
  if (Clock::now() >= next_proof_) {
    next_proof_ = Clock::now() + between_proofs;
    PostgresqlStatement const question{.sql = replayed_position};
    bool const sent = send(question, {});
    auto const row = co_await result_of(sent);
    if (!row) co_return row.error();
    auto const replayed = parse_log_position(PQgetvalue(row->get(), 0, 0));
    auto const until = replayed ? source_.primary.complete_until(*replayed) : std::nullopt;
    if (until) opened_.complete_until = std::max(*opened_.complete_until, *until);
  }
  if (Clock::now() - *opened_.complete_until <= standby_may_lag) co_return error_code();
  broken_ = true;
  message_ = "the standby is too far behind the primary";
  co_return errc::unavailable;
}

bool PostgresqlSession::send(PostgresqlStatement const& statement, PostgresqlParameters const& parameters) {
  std::array<char const*, PostgresqlParameters::static_capacity> values;
  std::ranges::transform(parameters, values.begin(), [](auto const& text) { return text ? text->c_str() : nullptr; });
  PostgresqlExecution::Values const used(values.data(), parameters.size());
  bool const prepared = statement.number < opened_.prepared.size();
  return prepared ? execution_.send_prepared(opened_.prepared[statement.number], used)
                  : execution_.send(statement.sql, used);
}

awaitable<result<PostgresqlRows>> PostgresqlSession::run(PostgresqlStatement const& statement,
                                                         PostgresqlParameters const& parameters) {
  deadline_ = Clock::now() + source_.timeout;
  auto const failed = co_await prove_fresh();
  if (failed) co_return failed;
  bool const sent = send(statement, parameters);
  auto rows = co_await result_of(sent);
  co_return rows;
}

}  // namespace deployd::storage
