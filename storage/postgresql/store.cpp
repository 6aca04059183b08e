#include "storage/postgresql/store.hpp"

#include <spdlog/spdlog.h>

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <chrono>
#include <limits>
#include <memory>
#include <optional>
#include <utility>

#include "storage/cursor_places.hpp"
#include "storage/postgresql/changes.hpp"
#include "storage/postgresql/connector.hpp"
#include "storage/postgresql/pool.hpp"
#include "storage/postgresql/queries.hpp"
#include "storage/postgresql/tokens.hpp"
#include "storage/schema/privileges.hpp"
#include "storage/schema/schema.hpp"
#include "storage/session/postgresql_command.hpp"
#include "storage/session/session.hpp"
#include "storage/tokens/token_admin.hpp"
#include "storage/tokens/token_uses.hpp"

namespace deployd::storage {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint64_t no_limit = std::numeric_limits<std::int64_t>::max();

// Rows of a long list that are fetched at once while names are short.
constexpr std::size_t most_rows_a_fetch = 512;
constexpr std::size_t first_rows_a_fetch = 256;
constexpr std::size_t fewest_rows_a_fetch = 16;

// libpq holds all rows of a fetch. If they take more than this, fewer are fetched.
constexpr std::size_t most_bytes_a_fetch = std::size_t{1} << 20;

PostgresqlParameters const no_parameters;

/// Returns how many sessions a worker may have for streamed lists, in addition to `sessions` for everything else. No
/// token may use more than half of them, so there are at least two.
constexpr std::size_t most_streams(std::size_t sessions) noexcept {
  return std::max(sessions / 2, std::size_t{2});
}

// The same for lists whose first row is far down. These are read at once, so that a session is never held for long.
constexpr std::size_t most_pages = 1;

/// Each worker has a share of the sessions on its own event loop. Long lists have a session each, in addition and half
/// as many.
class PostgresqlDatabase final : public Database {
 public:
  explicit PostgresqlDatabase(DatabaseOptions options);

  std::unique_ptr<Store> store_for(boost::asio::any_io_executor worker) override;
  bool has_api_tokens() override { return queries_.own_tables() && has_valid_token(options_.url, options_.timeout); }
  LeftOutRows const& left_out_rows() const noexcept override { return left_out_; }
  DatabaseState state() const override {
    return {"postgresql", told_of_changes() ? changes_->state() : ChangeFeed{"timed", true, timed_step_}};
  }
  DescriptorNeeds descriptor_needs() const noexcept override;

  // For the stores of the workers:

  DatabaseOptions const& options() const noexcept { return options_; }
  PostgresqlQueries const& queries() const noexcept { return queries_; }
  LeftOutRows& left_out() noexcept { return left_out_; }
  PostgresqlConnector& connector() noexcept { return connector_; }
  TokenUses* token_uses() noexcept { return token_uses_ ? &*token_uses_ : nullptr; }
  std::optional<std::uint64_t> data_version() const noexcept {
    return told_of_changes() ? changes_->version() : timed_version(timed_step_);
  }

 private:
  /// The number of sessions of the store with this number, counted from 0.
  std::size_t sessions_of(std::size_t store) const noexcept;
  bool told_of_changes() const noexcept { return changes_ && changes_->listening(); }

  DatabaseOptions options_;
  LeftOutRows left_out_;
  PrimaryWatch primary_;
  PostgresqlQueries queries_;
  std::optional<TokenUses> token_uses_;
  std::optional<PostgresqlChanges> changes_;  // nothing: there are no notifications, and no primary to find
  std::size_t stores_ = 0;
  PostgresqlConnector connector_;
  std::chrono::milliseconds timed_step_;  // how long responses are cached without notifications of changes
};

/// A transaction with one snapshot, in which a server-side cursor is read.
class PostgresqlCursor final : public Cursor {
 public:
  PostgresqlCursor(PostgresqlDatabase& database, boost::asio::any_io_executor worker, CursorPlaces::Place place,
                   Filter filter)
      : database_(database), worker_(std::move(worker)), place_(std::move(place)), filter_(std::move(filter)) {}

  boost::asio::awaitable<boost::system::error_code> begin(PostgresqlPool& pool) {
    auto opened = co_await pool.open_session();
    if (!opened) co_return opened.error();
    session_ = std::move(*opened);
    PostgresqlStatement const transaction{.sql = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"};
    auto const begun = co_await run(transaction, no_parameters);
    if (!begun) co_return begun.error();
    if (filter_.pattern) {
      auto const failure = co_await find_pattern();
      if (failure || at_end_) co_return failure;
    }
    auto const cursor = database_.queries().declare_cursor(filter_);
    auto const parameters = list_parameters(filter_, filter_.limit.value_or(no_limit), filter_.skip);
    auto const declared = co_await run(cursor, parameters);
    co_return declared ? boost::system::error_code() : declared.error();
  }

  bool pattern_known() const noexcept override { return pattern_known_; }

  Answer<std::optional<std::int64_t>> last_id_before_more() override {
    if (at_end_ || !filter_.limit || *filter_.limit == 0) co_return std::optional<std::int64_t>();
    auto const statement = database_.queries().ids(filter_);
    auto const last = std::min(filter_.skip, no_limit) + std::min(*filter_.limit, no_limit) - 1;
    auto const parameters = list_parameters(filter_, 2, last);
    auto const rows = co_await run(statement, parameters);
    if (!rows) co_return rows.error();
    if (row_count(**rows) < 2) co_return std::optional<std::int64_t>();
    co_return whole_number(**rows, 0, 0);
  }

  Answer<bool> read(std::size_t max_rows, RowSink& sink) override {
    if (next_ == fetched_ && !at_end_) {
      auto const failure = co_await fetch();
      if (failure) co_return failure;
    } else {
      co_await boost::asio::post(worker_, boost::asio::use_awaitable);
    }
    for (std::size_t count = 0; count < max_rows && next_ < fetched_; ++count) {
      auto const goes_on = give_row(*rows_, next_++, sink, database_.left_out(), filter_.table);
      if (goes_on && !*goes_on) break;
    }
    co_return next_ < fetched_ || !at_end_;
  }

 private:
  Answer<PostgresqlRows> run(PostgresqlStatement const& statement, PostgresqlParameters const& parameters) {
    auto rows = co_await session_->run(statement, parameters);
    if (!rows) database_.connector().state().failed(rows.error(), session_->message());
    co_return rows;
  }

  /// Replaces the name of the pattern in the filter by its id.
  boost::asio::awaitable<boost::system::error_code> find_pattern() {
    auto const statement = database_.queries().pattern();
    PostgresqlParameters parameters;
    parameters.push_back(text_parameter(*filter_.pattern));
    auto const rows = co_await run(statement, parameters);
    if (!rows) co_return rows.error();
    auto const pattern = read_pattern(**rows, database_.left_out());
    pattern_known_ = pattern.has_value();
    at_end_ = !pattern || filter_.pattern_id.value_or(*pattern) != *pattern;
    filter_.pattern.reset();
    filter_.pattern_id = pattern;
    co_return boost::system::error_code();
  }

  boost::asio::awaitable<boost::system::error_code> fetch() {
    rows_.reset();
    PostgresqlStatement const statement{.sql = "FETCH " + std::to_string(rows_a_fetch_) + " FROM deployments"};
    auto rows = co_await run(statement, no_parameters);
    if (!rows) co_return rows.error();
    rows_ = std::move(*rows);
    next_ = 0;
    fetched_ = row_count(*rows_);
    at_end_ = fetched_ < rows_a_fetch_;
    rows_a_fetch_ = PQresultMemorySize(rows_.get()) > most_bytes_a_fetch
                        ? std::max(rows_a_fetch_ / 4, fewest_rows_a_fetch)
                        : std::min(rows_a_fetch_ * 2, most_rows_a_fetch);
    co_return boost::system::error_code();
  }

  PostgresqlDatabase& database_;
  boost::asio::any_io_executor worker_;
  CursorPlaces::Place place_;
  Filter filter_;
  std::shared_ptr<PostgresqlSession> session_;
  PostgresqlRows rows_;
  std::size_t fetched_ = 0;
  std::size_t next_ = 0;
  std::size_t rows_a_fetch_ = first_rows_a_fetch;
  bool pattern_known_ = true;
  bool at_end_ = false;
};

class PostgresqlStore final : public Store {
 public:
  PostgresqlStore(PostgresqlDatabase& database, boost::asio::any_io_executor worker, std::size_t sessions)
      : database_(database),
        worker_(worker),
        stream_places_(std::make_shared<CursorPlaces>(worker, most_streams(sessions))),
        page_places_(std::make_shared<CursorPlaces>(worker, most_pages)),
        pool_(std::make_shared<PostgresqlPool>(worker, database.connector(), sessions)),
        tokens_(std::make_shared<PostgresqlTokens>(worker, pool_)) {
    if (database.token_uses() != nullptr) token_uses_.emplace(*database.token_uses());
  }

  ~PostgresqlStore() override { pool_->close(); }

  std::optional<std::uint64_t> data_version() noexcept override { return database_.data_version(); }

  Answer<bool> deployment(std::int64_t id, RowSink& sink) override {
    QueryTimer timer(metrics_, QueryKind::deployment);
    auto const found = co_await pool_->look_up(id);
    timer.done(found);
    if (!found) co_return found.error();
    co_return found->row&& give_row(*found->rows, *found->row, sink, database_.left_out()).has_value();
  }

  Answer<Listing> list(Filter const& filter, std::size_t max_rows, RowSink& sink) override {
    auto const bounds = list_bounds(filter, max_rows);
    auto const& queries = database_.queries();
    // Skipped rows must be ones that would be returned.
    auto const& statement = filter.skip > 0 ? queries.sound_list(filter) : queries.list(filter);
    auto rows = co_await ask_list(statement, filter, bounds);
    if (rows && queries.foreign() && lacks_rows(**rows, filter, bounds, database_.left_out()))
      rows = co_await ask_list(queries.sound_list(filter), filter, bounds);
    if (!rows) co_return rows.error();
    co_return read_listing(**rows, filter, bounds, sink, database_.left_out());
  }

  Answer<std::unique_ptr<Cursor>> open_cursor(Filter const& filter, CursorUse use) override {
    QueryTimer timer(metrics_, QueryKind::open_cursor);
    auto opened = co_await begin_cursor(filter, use);
    timer.done(opened);
    co_return opened;
  }

  Answer<std::optional<ApiToken>> api_token(Sha256 const& hash) override {
    if (!database_.queries().own_tables()) co_return std::optional<ApiToken>();
    QueryTimer timer(metrics_, QueryKind::api_token);
    auto token = co_await tokens_->look_up(hash);
    timer.done(token);
    co_return token;
  }

  void note_token_used(std::int64_t token_id) noexcept override {
    if (token_uses_) token_uses_->note(token_id);
  }

  Answer<bool> ping() override {
    PostgresqlParameters parameters;
    QueryTimer timer(metrics_, QueryKind::ping);
    auto const rows = co_await pool_->ask(database_.queries().ping(), std::move(parameters));
    timer.done(rows);
    if (!rows) co_return rows.error();
    co_return true;
  }

  PoolMetrics const* pool_metrics() const noexcept override { return &pool_->metrics(); }

 private:
  Answer<PostgresqlRows> ask_list(PostgresqlStatement const& statement, Filter const& filter,
                                  ListBounds const& bounds) {
    auto parameters = list_parameters(filter, bounds.wanted + 1, bounds.far ? 0 : filter.skip);
    QueryTimer timer(metrics_, QueryKind::list);
    auto rows = co_await pool_->ask(statement, std::move(parameters));
    timer.done(rows);
    co_return rows;
  }

  Answer<std::unique_ptr<Cursor>> begin_cursor(Filter const& filter, CursorUse use) {
    auto& places = use.streamed ? *stream_places_ : *page_places_;
    auto place = co_await places.take(use.token, Clock::now() + database_.options().timeout);
    if (!place) co_return place.error();
    auto cursor = std::make_unique<PostgresqlCursor>(database_, worker_, std::move(*place), filter);
    auto const failure = co_await cursor->begin(*pool_);
    if (failure) co_return failure;
    co_return std::unique_ptr<Cursor>(std::move(cursor));
  }

  PostgresqlDatabase& database_;
  boost::asio::any_io_executor worker_;
  std::shared_ptr<CursorPlaces> stream_places_;
  std::shared_ptr<CursorPlaces> page_places_;
  std::shared_ptr<PostgresqlPool> pool_;
  std::shared_ptr<PostgresqlTokens> tokens_;
  std::optional<WorkerTokenUses> token_uses_;
};

bool reads_standbys(PostgresqlHosts const& hosts) {
  return hosts.read_from() == ReadFrom::prefer_standby || hosts.read_from() == ReadFrom::standby;
}

/// Throws `Error` with the missing GRANTs unless the role may read deployd's own tables, which include tokens if
/// `own_tables` is true. Relations of another program have been checked before.
void require_readable_tables(DatabaseOptions const& options, bool own_tables) {
  std::vector<Privilege> needed;
  if (!options.relations.foreign()) needed = {{"deployd.patterns", "SELECT"}, {"deployd.deployments", "SELECT"}};
  if (own_tables) needed.push_back({"deployd.api_tokens", "SELECT"});
  if (needed.empty()) return;
  translating(options.url, [&] {
    require_privileges(*open_session(options.url, Access::read, options.timeout), options.url, needed);
  });
}

/// True if each session has a server session of its own, so that it can prepare statements and receive notifications.
bool may_prepare(DatabaseOptions const& options) {
  auto const& url = std::get<PostgresqlUrl>(options.url);
  if (url.prepare) return *url.prepare;
  bool const pooled = translating(
      options.url, [&] { return behind_pooler(*open_session(options.url, Access::read, options.timeout)); });
  if (!pooled) return true;
  spdlog::info(
      "a pooler stands before PostgreSQL: nothing is prepared and changes are supposed twice a second; if it pools "
      "sessions and not transactions, say ?prepare=on in --database");
  return false;
}

PostgresqlDatabase::PostgresqlDatabase(DatabaseOptions options)
    : options_(std::move(options)),
      left_out_(table_names(options_.url, options_.relations)),
      queries_(relation_names(options_.relations), may_have_own_tables(options_.url, options_.relations)),
      connector_({PostgresqlHosts(std::get<PostgresqlUrl>(options_.url)), may_prepare(options_), options_.timeout,
                  primary_, queries_}),
      timed_step_(reads_standbys(connector_.source().hosts) ? 250 : 500) {
  require_readable_tables(options_, queries_.own_tables());
  if (queries_.own_tables()) token_uses_.emplace(options_.url, "deployd.api_tokens");
  // Only deployd's own tables have triggers, LISTEN does not work behind a pooler, and a standby may not have a change
  // yet when its notification arrives.
  auto const& source = connector_.source();
  bool const listening = !queries_.foreign() && source.prepare && !reads_standbys(source.hosts);
  if (listening || source.hosts.several()) changes_.emplace(source.hosts, listening, primary_);
}

std::unique_ptr<Store> PostgresqlDatabase::store_for(boost::asio::any_io_executor worker) {
  return std::make_unique<PostgresqlStore>(*this, std::move(worker), sessions_of(stores_++));
}

std::size_t PostgresqlDatabase::sessions_of(std::size_t store) const noexcept {
  auto const share = options_.sessions / options_.workers + (store < options_.sessions % options_.workers ? 1 : 0);
  return std::max(share, std::size_t{1});
}

DescriptorNeeds PostgresqlDatabase::descriptor_needs() const noexcept {
  // One session listens for changes, one records uses of tokens, and one is tried at each host.
  DescriptorNeeds needs{.serving = 2 + connector_.source().hosts.count(), .lists = 0};
  for (std::size_t store = 0; store < stores_; ++store) needs.serving += sessions_of(store);
  for (std::size_t worker = 0; worker < options_.workers; ++worker)
    needs.lists += most_streams(sessions_of(worker)) + most_pages;
  return needs;
}

}  // namespace

std::unique_ptr<Database> open_postgresql_database(DatabaseOptions options) {
  return std::make_unique<PostgresqlDatabase>(std::move(options));
}

}  // namespace deployd::storage
