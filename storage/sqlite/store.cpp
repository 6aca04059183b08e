#include "storage/sqlite/store.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <type_traits>
#include <utility>

#include "base/coarse_clock.hpp"
#include "storage/cursor_places.hpp"
#include "storage/error.hpp"
#include "storage/schema/column_types.hpp"
#include "storage/session/session.hpp"
#include "storage/sqlite/cursor.hpp"
#include "storage/sqlite/queries.hpp"
#include "storage/store_state.hpp"
#include "storage/tokens/token_admin.hpp"
#include "storage/tokens/token_uses.hpp"

namespace deployd::storage {
namespace {

using boost::system::result;
using std::chrono::milliseconds;
using TimePoint = std::chrono::steady_clock::time_point;

// Enough for the inner pages of the indexes of ten million rows; the operating system caches the rest. Not mapped into
// memory: if another program truncated the file, a signal would end the process.
constexpr int cache_kib = 8 * 1024;

// The database and its log. All sessions share the index of the log. A writing session has a journal for a moment.
constexpr std::size_t files_of_a_session = 2;

// Long lists that one worker reads at the same time. Each has a session with its own cache.
constexpr std::size_t most_streams = 4;

// The same for lists whose first row is far down. These are read at once, so that a place is never held for long.
constexpr std::size_t most_pages = 2;

// How often to check that the file at the path is still the open one.
constexpr milliseconds file_check_every(100);

// How long to wait after a file could not be opened before trying again.
constexpr milliseconds reopen_after(100);

/// Returns the error that callers get for an expected failure. The log says why the store became unavailable.
boost::system::error_code outward(errc code) noexcept {
  switch (code) {
    case errc::busy:
    case errc::corrupt:
    case errc::overloaded:
    case errc::timeout: return code;
    default: return errc::unavailable;
  }
}

class SqliteStore final : public Store {
 public:
  SqliteStore(DatabaseOptions const& options, TokenUses& token_uses, StoreState& state, LeftOutRows& left_out,
              boost::asio::any_io_executor worker)
      : url_(std::get<SqliteUrl>(options.url)),
        timeout_(options.timeout),
        worker_(std::move(worker)),
        token_uses_(token_uses),
        state_(state),
        left_out_(left_out),
        stream_places_(std::make_shared<CursorPlaces>(worker_, most_streams)),
        page_places_(std::make_shared<CursorPlaces>(worker_, most_pages)),
        cursors_(std::make_shared<SqliteCursors>(worker_, url_, left_out_)) {
    (void)attempt([](SqliteQueries& queries) { return queries.ping(); });
  }

  std::optional<std::uint64_t> data_version() noexcept override {
    drop_replaced_file();
    if (!queries_) return std::nullopt;
    auto const version = queries_->data_version();
    if (!version) return std::nullopt;
    return std::uint64_t{sessions_opened_} << 32 | *version;
  }

  Answer<bool> deployment(std::int64_t id, RowSink& sink) override {
    return ask<bool>(QueryKind::deployment,
                     [id, &sink](SqliteQueries& queries) { return queries.deployment(id, sink); });
  }

  Answer<Listing> list(Filter const& filter, std::size_t max_rows, RowSink& sink) override {
    return ask<Listing>(QueryKind::list, [&filter, max_rows, &sink](SqliteQueries& queries) {
      return queries.list(filter, max_rows, sink);
    });
  }

  Answer<std::unique_ptr<Cursor>> open_cursor(Filter const& filter, CursorUse use) override {
    QueryTimer timer(metrics_, QueryKind::open_cursor);
    auto const deadline = std::chrono::steady_clock::now() + timeout_;
    auto& places = use.streamed ? *stream_places_ : *page_places_;
    auto place = co_await places.take(use.token, deadline);
    if (!place) {
      timer.done(place);
      co_return place.error();
    }
    auto const begin = [this, &filter, &place] { return begin_cursor(filter, *place); };
    auto opened = begin();
    if (is_busy(opened)) [[unlikely]]
      opened = co_await repeat_until(deadline, begin);
    timer.done(opened);
    co_return opened;
  }

  Answer<std::optional<ApiToken>> api_token(Sha256 const& hash) override {
    return ask<std::optional<ApiToken>>(QueryKind::api_token,
                                        [&hash](SqliteQueries& queries) { return queries.api_token(hash); });
  }

  void note_token_used(std::int64_t token_id) noexcept override { token_uses_.note(token_id); }

  Answer<bool> ping() override {
    return ask<bool>(QueryKind::ping, [](SqliteQueries& queries) { return queries.ping(); });
  }

 private:
  template <typename T>
  static bool is_busy(result<T> const& answer) noexcept {
    return !answer && answer.error() == errc::busy;
  }

  /// Runs a query, and repeats it until the timeout while another program keeps the file locked.
  template <typename T, typename Query>
  Answer<T> ask(QueryKind kind, Query query) {
    QueryTimer timer(metrics_, kind);
    auto answer = attempt(query);
    if (is_busy(answer)) [[unlikely]] {
      auto const once = [this, &query] { return attempt(query); };
      answer = co_await repeat_until(std::chrono::steady_clock::now() + timeout_, once);
    }
    timer.done(answer);
    co_return answer;
  }

  /// Runs one query, without waiting. A session that failed for another reason than a lock is replaced before the next
  /// query.
  template <typename Query>
  std::invoke_result_t<Query, SqliteQueries&> attempt(Query const& query) {
    drop_replaced_file();
    try {
      if (!queries_) [[unlikely]] {
        if (auto const failure = open()) return failure;
      }
      auto answer = query(*queries_);
      if (!answer && answer.error() != errc::busy) [[unlikely]] {
        state_.lost(answer.error(), url_.path + ": " + queries_->message());
        queries_.reset();
      }
      if (answer && !proven_) [[unlikely]] {
        proven_ = true;
        state_.found();
      }
      return answer;
    } catch (soci::soci_error const& failure) {
      return give_up(translate(failure, url_));
    } catch (Error const& failure) {
      return give_up(failure);
    }
  }

  /// Opens the session of a cursor, without waiting. If that fails, for example without a free descriptor, the worker's
  /// own session is not affected.
  result<std::unique_ptr<Cursor>> begin_cursor(Filter const& filter, CursorPlaces::Place& place) {
    try {
      auto opened = cursors_->open(filter, place);
      if (!opened && opened.error() != errc::busy) [[unlikely]]
        state_.failed(opened.error(), url_.path + ": a long list cannot be read");
      return opened;
    } catch (soci::soci_error const& failure) {
      return fail_cursor(translate(failure, url_));
    } catch (Error const& failure) {
      return fail_cursor(failure);
    }
  }

  boost::system::error_code fail_cursor(Error const& failure) {
    auto const code = outward(failure.code());
    if (code != errc::busy) state_.failed(code, failure.what());
    return code;
  }

  /// Repeats `once` while another program keeps the file locked, without blocking the worker.
  template <typename Once>
  boost::asio::awaitable<std::invoke_result_t<Once>> repeat_until(std::chrono::steady_clock::time_point deadline,
                                                                  Once const& once) {
    boost::asio::steady_timer timer(worker_);
    for (milliseconds pause(1);; pause = std::min(pause * 2, milliseconds(25))) {
      timer.expires_at(std::min(deadline, std::chrono::steady_clock::now() + pause));
      co_await timer.async_wait(boost::asio::use_awaitable);
      auto answer = once();
      if (!is_busy(answer) || std::chrono::steady_clock::now() >= deadline) co_return answer;
    }
  }

  /// Returns no error on success.
  boost::system::error_code open() {
    auto const now = base::coarse_now();
    if (now < next_open_) return open_failure_;
    next_open_ = now + reopen_after;
    queries_ = std::make_unique<SqliteQueries>(url_, cache_kib, left_out_);
    ++sessions_opened_;
    proven_ = false;
    next_open_ = {};
    return {};
  }

  boost::system::error_code give_up(Error const& failure) {
    if (failure.code() == errc::busy) {
      next_open_ = {};
      return errc::busy;
    }
    open_failure_ = outward(failure.code());
    state_.lost(open_failure_, failure.what());
    queries_.reset();
    return open_failure_;
  }

  void drop_replaced_file() noexcept {
    auto const now = base::coarse_now();
    if (now < next_file_check_) return;
    next_file_check_ = now + file_check_every;
    if (queries_ && identify_file(url_.path) != queries_->file()) queries_.reset();
  }

  SqliteUrl url_;
  milliseconds timeout_;
  boost::asio::any_io_executor worker_;
  WorkerTokenUses token_uses_;
  StoreState& state_;
  LeftOutRows& left_out_;
  std::shared_ptr<CursorPlaces> stream_places_;
  std::shared_ptr<CursorPlaces> page_places_;
  std::shared_ptr<SqliteCursors> cursors_;

  std::unique_ptr<SqliteQueries> queries_;  // null: must be opened for the next query
  std::uint32_t sessions_opened_ = 0;       // part of the data version: each session has its own counter
  bool proven_ = false;                     // the session has answered a query
  TimePoint next_open_;
  TimePoint next_file_check_;
  boost::system::error_code open_failure_ = errc::unavailable;
};

/// Workers share only the file: each has its own session and queries it on its own thread, since a look-up costs less
/// than switching threads.
class SqliteDatabase final : public Database {
 public:
  explicit SqliteDatabase(DatabaseOptions options)
      : options_(std::move(options)),
        left_out_(table_names(options_.url, {})),
        token_uses_(options_.url, "api_tokens") {
    // Checks the tables of other programs, and the worker's way of reading once, while an error can still be reported
    // to the operator.
    auto const session = open_session(options_.url, Access::read, options_.timeout);
    require_columns(*session, std::get<SqliteUrl>(options_.url));
    note_rows_without_id(*session);
    (void)has_api_tokens();
  }

  std::unique_ptr<Store> store_for(boost::asio::any_io_executor worker) override {
    return std::make_unique<SqliteStore>(options_, token_uses_, state_, left_out_, std::move(worker));
  }

  bool has_api_tokens() override { return has_valid_token(options_.url, options_.timeout); }
  LeftOutRows const& left_out_rows() const noexcept override { return left_out_; }
  DatabaseState state() const override { return {"sqlite", {"file"}}; }

  DescriptorNeeds descriptor_needs() const noexcept override {
    return {.serving = files_of_a_session + 1,
            .lists = options_.workers * (most_streams + most_pages) * files_of_a_session};
  }

 private:
  /// No list comes to rows whose id is NULL, since they are in no range of ids: they are counted as one, at the start.
  /// In a table of deployd's own, SQLite knows without reading that there is none.
  void note_rows_without_id(soci::session& session) {
    translating(options_.url, [&] {
      long long any = 0;
      session << "SELECT EXISTS (SELECT 1 FROM deployments WHERE id IS NULL)", soci::into(any);
      if (any != 0) left_out_.add({.column = BadColumn::deployment_id, .value = std::nullopt});
    });
  }

  DatabaseOptions options_;
  LeftOutRows left_out_;
  TokenUses token_uses_;
  StoreState state_;
};

}  // namespace

std::unique_ptr<Database> open_sqlite_database(DatabaseOptions options) {
  return std::make_unique<SqliteDatabase>(std::move(options));
}

}  // namespace deployd::storage
