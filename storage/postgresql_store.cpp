#include "storage/postgresql_store.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <limits>
#include <utility>

#include "storage/postgresql_queries.hpp"
#include "storage/row_buffer.hpp"
#include "storage/schema.hpp"
#include "storage/session.hpp"

namespace deployd::storage {
namespace {

using boost::system::result;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;
using Deadline = PostgresqlQueries::Deadline;

// Questions that may wait for each thread; past it they are refused, for they would not be answered in time anyway.
constexpr std::size_t waiting_for_each = 128;

// Rows of a long list that are fetched at once, as long as names are short.
constexpr std::size_t rows_a_fetch = 2048;
constexpr std::size_t fewest_rows_a_fetch = 16;

constexpr auto without_exceptions = boost::asio::as_tuple(boost::asio::use_awaitable);

/// A question on its way. Belongs to the thread that works on it until `done`, then to the worker that asked; a worker
/// that has given up does not look at it any more.
template <typename T>
struct Pending {
  explicit Pending(boost::asio::any_io_executor const& worker) : timer(worker) {}
  boost::asio::steady_timer timer;  // of the worker
  bool done = false;                // of the worker
  result<T> answer = make_error_code(errc::timeout);
  RowBuffer rows;
};

/// Puts a question on one of `threads` and waits for its answer until the deadline. `question` gets the thread's
/// session and the RowBuffer; it runs on the thread and may refer only to what it owns.
template <typename T, typename Question>
boost::asio::awaitable<std::shared_ptr<Pending<T>>> ask(boost::asio::any_io_executor worker, PostgresqlThreads& threads,
                                                        Outstanding& outstanding, Deadline deadline,
                                                        Question question) {
  auto pending = std::make_shared<Pending<T>>(worker);
  auto work = [pending, worker, question = std::move(question)](PostgresqlThreads::Session& session) {
    pending->answer = question(session, pending->rows);
    boost::asio::post(worker, [pending] {
      pending->done = true;
      pending->timer.cancel();
    });
  };
  pending->timer.expires_at(deadline);
  if (!threads.submit(std::move(work), outstanding)) {
    pending->answer = make_error_code(errc::overloaded);
    co_return pending;
  }
  while (!pending->done && Clock::now() < deadline) co_await pending->timer.async_wait(without_exceptions);
  if (pending->done) co_return pending;
  auto late = std::make_shared<Pending<T>>(worker);  // the other is still of its thread
  co_return late;
}

/// The session of the cursor, which outlives it when a step is still under way.
struct CursorSession {
  PostgresqlThreads::Session queries;
};

class PostgresqlCursor final : public Cursor {
 public:
  PostgresqlCursor(boost::asio::any_io_executor worker, PostgresqlDatabase& database,
                   std::shared_ptr<Outstanding> outstanding, Filter const& filter)
      : worker_(std::move(worker)),
        database_(database),
        outstanding_(std::move(outstanding)),
        filter_(filter),
        session_(std::make_shared<CursorSession>()) {}

  ~PostgresqlCursor() override {
    // Closing a connection may block: a thread does it. Should its queue be full, what is here is closed here.
    database_.cursor_threads().submit([session = session_](PostgresqlThreads::Session&) { session->queries.reset(); },
                                      *outstanding_);
    database_.give_back_cursor();
  }

  Answer<bool> begin() {
    auto const deadline = Clock::now() + database_.options().timeout;
    auto question = [session = session_, filter = filter_, deadline, &connecting = database_.connecting()](
                        PostgresqlThreads::Session&, RowBuffer&) -> result<bool> {
      auto connected = connecting.connect();
      if (!connected) return connected.error();
      session->queries = std::move(*connected);
      auto known = session->queries->begin_snapshot(filter, deadline);
      if (!known) connecting.complain(known.error(), session->queries->message());
      return known;
    };
    auto const pending =
        co_await ask<bool>(worker_, database_.cursor_threads(), *outstanding_, deadline, std::move(question));
    if (pending->answer) pattern_known_ = *pending->answer;
    at_end_ = !pattern_known_;
    co_return pending->answer;
  }

  bool pattern_known() const noexcept override { return pattern_known_; }

  Answer<std::optional<std::int64_t>> last_id_before_more() override {
    if (!pattern_known_) co_return std::optional<std::int64_t>();
    auto const deadline = Clock::now() + database_.options().timeout;
    auto question = [session = session_, deadline, &connecting = database_.connecting()](PostgresqlThreads::Session&,
                                                                                         RowBuffer&) {
      auto last = session->queries->last_id_before_more(deadline);
      if (!last) connecting.complain(last.error(), session->queries->message());
      return last;
    };
    auto const pending = co_await ask<std::optional<std::int64_t>>(worker_, database_.cursor_threads(), *outstanding_,
                                                                   deadline, std::move(question));
    co_return pending->answer;
  }

  Answer<bool> read(std::size_t max_rows, RowSink& sink) override {
    if (fetched_.empty() && !at_end_) {
      auto const failure = co_await fetch();
      if (failure) co_return failure;
    } else {
      co_await boost::asio::post(worker_, boost::asio::use_awaitable);
    }
    for (std::size_t count = 0; count < max_rows && !fetched_.empty(); ++count)
      if (!fetched_.give_next(sink)) break;
    co_return !fetched_.empty() || !at_end_;
  }

 private:
  boost::asio::awaitable<boost::system::error_code> fetch() {
    auto const deadline = Clock::now() + database_.options().timeout;
    auto question = [session = session_, deadline, rows = rows_a_fetch_, &connecting = database_.connecting()](
                        PostgresqlThreads::Session&, RowBuffer& buffer) {
      auto more = session->queries->fetch(rows, buffer, deadline);
      if (!more) connecting.complain(more.error(), session->queries->message());
      return more;
    };
    auto const pending =
        co_await ask<bool>(worker_, database_.cursor_threads(), *outstanding_, deadline, std::move(question));
    if (!pending->answer) co_return pending->answer.error();
    at_end_ = !*pending->answer;
    fetched_ = std::move(pending->rows);
    // libpq holds all rows of a fetch: fewer at once when their names are long.
    rows_a_fetch_ =
        fetched_.large() ? std::max(rows_a_fetch_ / 4, fewest_rows_a_fetch) : std::min(rows_a_fetch_ * 2, rows_a_fetch);
    co_return boost::system::error_code();
  }

  boost::asio::any_io_executor worker_;
  PostgresqlDatabase& database_;
  std::shared_ptr<Outstanding> outstanding_;
  Filter filter_;
  std::shared_ptr<CursorSession> session_;
  RowBuffer fetched_;
  std::size_t rows_a_fetch_ = 256;
  bool pattern_known_ = true;
  bool at_end_ = false;
};

class PostgresqlStore final : public Store {
 public:
  PostgresqlStore(PostgresqlDatabase& database, boost::asio::any_io_executor worker)
      : database_(database), worker_(std::move(worker)), outstanding_(std::make_shared<Outstanding>()) {
    if (database.token_uses() != nullptr) token_uses_.emplace(*database.token_uses());
  }

  /// Waits for what is under way, at most until its deadline: it knows this worker's loop.
  ~PostgresqlStore() override { outstanding_->wait_for_none(); }

  std::optional<std::uint64_t> data_version() noexcept override { return database_.data_version(); }

  Answer<bool> deployment(std::int64_t id, RowSink& sink) override {
    auto question = [id](PostgresqlQueries& queries, RowBuffer& rows, Deadline deadline) {
      return queries.deployment(id, rows, deadline);
    };
    auto const pending = co_await put<bool>(std::move(question));
    if (pending->answer && *pending->answer) pending->rows.give_next(sink);
    co_return pending->answer;
  }

  Answer<Listing> list(Filter const& filter, std::size_t max_rows, RowSink& sink) override {
    auto question = [filter, max_rows](PostgresqlQueries& queries, RowBuffer& rows, Deadline deadline) {
      return queries.list(filter, max_rows, rows, deadline);
    };
    auto const pending = co_await put<Listing>(std::move(question));
    if (!pending->answer) co_return pending->answer;
    while (!pending->rows.empty())
      if (!pending->rows.give_next(sink)) co_return Listing{pending->answer->pattern_known, false, false};
    co_return pending->answer;
  }

  Answer<std::unique_ptr<Cursor>> open_cursor(Filter const& filter) override {
    auto const deadline = Clock::now() + database_.options().timeout;
    boost::asio::steady_timer timer(worker_);
    for (milliseconds pause(1); !database_.take_cursor(); pause = std::min(pause * 2, milliseconds(25))) {
      if (Clock::now() >= deadline) co_return make_error_code(errc::overloaded);
      timer.expires_at(std::min(deadline, Clock::now() + pause));
      co_await timer.async_wait(without_exceptions);
    }
    auto cursor = std::make_unique<PostgresqlCursor>(worker_, database_, outstanding_, filter);
    auto const begun = co_await cursor->begin();
    if (!begun) co_return begun.error();
    co_return std::unique_ptr<Cursor>(std::move(cursor));
  }

  Answer<std::optional<ApiToken>> api_token(Sha256 const& hash) override {
    auto question = [hash](PostgresqlQueries& queries, RowBuffer&, Deadline deadline) {
      return queries.api_token(hash, deadline);
    };
    auto const pending = co_await put<std::optional<ApiToken>>(std::move(question));
    co_return pending->answer;
  }

  void note_token_used(std::int64_t token_id) noexcept override {
    if (token_uses_) token_uses_->note(token_id);
  }

  Answer<bool> ping() override {
    auto question = [](PostgresqlQueries& queries, RowBuffer&, Deadline deadline) { return queries.ping(deadline); };
    auto const pending = co_await put<bool>(std::move(question));
    co_return pending->answer;
  }

 private:
  /// A question for the session of whichever thread is free. A session that turns out to have died while nobody used it
  /// is replaced, once: all questions only read.
  template <typename T, typename Question>
  boost::asio::awaitable<std::shared_ptr<Pending<T>>> put(Question question) {
    auto const deadline = Clock::now() + database_.options().timeout;
    auto on_thread = [question = std::move(question), deadline, &connecting = database_.connecting()](
                         PostgresqlThreads::Session& session, RowBuffer& rows) -> result<T> {
      if (Clock::now() >= deadline) return make_error_code(errc::timeout);
      if (session && !session->usable()) session.reset();
      for (bool const fresh = !session;;) {
        bool const reused = session != nullptr;
        if (!session) {
          auto connected = connecting.connect();
          if (!connected) return connected.error();
          session = std::move(*connected);
        }
        auto answer = question(*session, rows, deadline);
        if (answer) return answer;
        bool const lost = !session->usable() && answer.error() == errc::unavailable;
        if (!lost || !reused || fresh) connecting.complain(answer.error(), session->message());
        if (!session->usable()) session.reset();
        if (!lost || !reused || fresh) return answer;
      }
    };
    auto const pending = co_await ask<T>(worker_, database_.threads(), *outstanding_, deadline, std::move(on_thread));
    co_return pending;
  }

  PostgresqlDatabase& database_;
  boost::asio::any_io_executor worker_;
  std::shared_ptr<Outstanding> outstanding_;
  std::optional<WorkerTokenUses> token_uses_;
};

Relations relations_of(DatabaseOptions const& options) {
  return {options.patterns_relation, options.deployments_relation};
}

PostgresqlSource source_of(DatabaseOptions const& options, bool own_tables) {
  return {std::get<PostgresqlUrl>(options.url), relation_names(relations_of(options)), own_tables, options.timeout};
}

}  // namespace

PostgresqlDatabase::PostgresqlDatabase(DatabaseOptions options)
    : options_(std::move(options)),
      own_tables_(has_own_tables(options_.url, relations_of(options_))),
      connecting_(source_of(options_, own_tables_)),
      threads_(options_.sessions, options_.sessions * waiting_for_each),
      cursor_threads_(most_cursors, 4 * most_cursors) {
  if (own_tables_) token_uses_.emplace(options_.url, "deployd.api_tokens");
  auto const& url = std::get<PostgresqlUrl>(options_.url);
  // Triggers stand on deployd's own tables only, and behind a pooler LISTEN hears nothing.
  if (!relations_of(options_).foreign() && url.prepare) changes_.emplace(url);
}

std::unique_ptr<Store> PostgresqlDatabase::store_for(boost::asio::any_io_executor worker) {
  return std::make_unique<PostgresqlStore>(*this, std::move(worker));
}

std::optional<std::uint64_t> PostgresqlDatabase::data_version() const noexcept {
  return changes_ ? changes_->version() : timed_version();
}

bool PostgresqlDatabase::take_cursor() noexcept {
  if (++cursors_ <= most_cursors) return true;
  --cursors_;
  return false;
}

bool PostgresqlDatabase::has_api_tokens() {
  if (!own_tables_) return false;
  try {
    auto const session = open_session(options_.url, Access::read, options_.timeout);
    int found = 0;
    *session << "SELECT EXISTS (SELECT 1 FROM deployd.api_tokens WHERE revoked IS NULL AND (expires IS NULL OR "
                "expires > extract(epoch FROM now())))::int",
        soci::into(found);
    return found != 0;
  } catch (soci::soci_error const& failure) {
    throw translate(failure, options_.url);
  }
}

}  // namespace deployd::storage
