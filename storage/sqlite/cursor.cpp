#include "storage/sqlite/cursor.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <limits>
#include <utility>

#include "storage/error.hpp"

namespace deployd::storage {
namespace {

using boost::asio::use_awaitable;
using boost::system::result;

// Ids skipped between two turns of the worker's loop: about half a millisecond.
constexpr std::uint64_t ids_a_step = 4096;

// A scan from front to back does not benefit from a large cache.
constexpr int cache_kib = 512;

std::uint64_t saturating_sum(std::uint64_t a, std::uint64_t b) noexcept {
  return b > std::numeric_limits<std::uint64_t>::max() - a ? std::numeric_limits<std::uint64_t>::max() : a + b;
}

}  // namespace

class SqliteCursors::SqliteCursor final : public Cursor {
 public:
  SqliteCursor(std::shared_ptr<SqliteCursors> cursors, Filter const& filter)
      : cursors_(std::move(cursors)),
        session_(cursors_->take_session()),
        filter_(filter),
        at_first_(filter.skip == 0),
        remaining_(filter.limit.value_or(std::numeric_limits<std::uint64_t>::max())) {}
  ~SqliteCursor() override { cursors_->give_back(std::move(session_)); }

  boost::system::error_code begin() {
    auto const pattern_id = session_->begin_snapshot(filter_);
    if (!pattern_id) return pattern_id.error();
    pattern_known_ = !filter_.pattern || pattern_id->has_value();
    if (pattern_known_) range_ = range_of(filter_, *pattern_id);
    return {};
  }

  /// Holds `place` as long as the cursor lives.
  void hold(CursorPlaces::Place place) noexcept { place_.emplace(std::move(place)); }

  bool pattern_known() const noexcept override { return pattern_known_; }

  Answer<std::optional<std::int64_t>> last_id_before_more() override {
    if (!range_ || !filter_.limit || *filter_.limit == 0) co_return std::nullopt;
    auto const last = co_await pass(saturating_sum(filter_.skip, *filter_.limit));
    co_return last;
  }

  Answer<bool> read(std::size_t max_rows, RowSink& sink) override {
    if (!range_ || remaining_ == 0) co_return false;
    if (rows_ == nullptr) {
      if (!at_first_) {
        auto const passed = co_await pass(filter_.skip);
        if (!passed) co_return passed.error();
        if (!range_) co_return false;
      }
      rows_ = &session_->start_rows(*range_);
    }
    co_await boost::asio::post(cursors_->worker_, use_awaitable);
    for (std::size_t count = 0; count < max_rows; ++count) {
      int const stepped = rows_->step();
      if (stepped == SQLITE_DONE) {
        range_.reset();
        co_return false;
      }
      if (stepped != SQLITE_ROW) co_return failure_of(stepped);
      if (!is_sound(filter_.table, *rows_, cursors_->left_out_)) continue;
      bool const wants_more = give(*rows_, sink);
      if (--remaining_ == 0) co_return false;
      if (!wants_more) break;
    }
    co_return true;
  }

 private:
  /// Passes `rows` rows and looks for one more, and on the way moves the beginning of the range after the rows to be
  /// skipped. Returns the id of the last of them, or nothing if no row follows it.
  Answer<std::optional<std::int64_t>> pass(std::uint64_t rows) {
    auto& ids = session_->start_ids(*range_);
    ResetAtEnd const reset(ids);
    std::int64_t last = 0;
    std::uint64_t number = 0;
    for (std::uint64_t steps = 1;; ++steps) {
      int const stepped = ids.step();
      if (stepped == SQLITE_DONE) {
        if (number <= filter_.skip) range_.reset();
        co_return std::nullopt;
      }
      if (stepped != SQLITE_ROW) co_return failure_of(stepped);
      if (holds_deployment(ids)) {
        if (number++ == filter_.skip) {
          range_->least_id = ids.integer(1);
          at_first_ = true;
        }
        if (number > rows) co_return std::optional(last);
        if (number == rows) last = ids.integer(1);
      }
      if (steps % ids_a_step == 0) co_await boost::asio::post(cursors_->worker_, use_awaitable);
    }
  }

  std::optional<CursorPlaces::Place> place_;
  std::shared_ptr<SqliteCursors> cursors_;
  std::unique_ptr<SqliteQueries> session_;
  Filter filter_;
  bool pattern_known_ = true;
  std::optional<RowRange> range_;  // nothing: the list is empty, or at its end
  bool at_first_;                  // the range begins with the first row after the skipped ones
  SqliteStatement* rows_ = nullptr;
  std::uint64_t remaining_;
};

result<std::unique_ptr<Cursor>> SqliteCursors::open(Filter const& filter, CursorPlaces::Place& place) {
  auto cursor = std::make_unique<SqliteCursor>(shared_from_this(), filter);
  if (auto const failure = cursor->begin()) return failure;
  cursor->hold(std::move(place));
  return std::unique_ptr<Cursor>(std::move(cursor));
}

/// Returns a session without a transaction.
std::unique_ptr<SqliteQueries> SqliteCursors::take_session() {
  if (idle_ && identify_file(url_.path) == idle_->file()) return std::move(idle_);
  return std::make_unique<SqliteQueries>(url_, cache_kib, left_out_);
}

void SqliteCursors::give_back(std::unique_ptr<SqliteQueries> session) noexcept {
  // A session that cannot end its snapshot would read from it forever.
  if (session->end_snapshot()) idle_ = std::move(session);
}

}  // namespace deployd::storage
