// Reads a long list from a SQLite store in bounded steps.
#pragma once

#include <boost/asio/any_io_executor.hpp>

#include <cstddef>
#include <memory>

#include "storage/cursor_places.hpp"
#include "storage/filter.hpp"
#include "storage/sqlite/queries.hpp"
#include "storage/store.hpp"

namespace deployd::storage {

/// The sessions of one worker's cursors. A streamed list keeps its snapshot as long as its client reads, so it cannot
/// share the worker's session. Must be used on the worker's thread.
class SqliteCursorSessions {
 public:
  /// `left_out` must outlive the cursors as well.
  SqliteCursorSessions(SqliteUrl url, LeftOutRows& left_out) : url_(std::move(url)), left_out_(left_out) {}

  /// Returns a session without a transaction. Throws `Error`.
  std::unique_ptr<SqliteQueries> take();
  void give_back(std::unique_ptr<SqliteQueries> session) noexcept;

 private:
  SqliteUrl url_;
  LeftOutRows& left_out_;
  std::unique_ptr<SqliteQueries> idle_;  // one is kept open: usually there is one stream at a time
};

class SqliteCursor final : public Cursor {
 public:
  /// Takes a session and begins its snapshot. Fails with the errors of `Store::open_cursor`, and with `errc::busy` at
  /// once. The sessions are shared because a cursor may outlive the store that opened it.
  static boost::system::result<std::unique_ptr<SqliteCursor>> open(boost::asio::any_io_executor worker,
                                                                   std::shared_ptr<SqliteCursorSessions> sessions,
                                                                   Filter const& filter);

  /// Holds `place` as long as the cursor lives.
  void hold(CursorPlaces::Place place) noexcept { place_.emplace(std::move(place)); }

  SqliteCursor(boost::asio::any_io_executor worker, std::shared_ptr<SqliteCursorSessions> sessions,
               std::unique_ptr<SqliteQueries> session, Filter const& filter);
  ~SqliteCursor() override;

  bool pattern_known() const noexcept override { return pattern_known_; }
  Answer<std::optional<std::int64_t>> last_id_before_more() override;
  Answer<bool> read(std::size_t max_rows, RowSink& sink) override;

 private:
  boost::system::error_code begin();
  Answer<std::optional<std::int64_t>> pass(std::uint64_t rows);

  boost::asio::any_io_executor worker_;
  std::optional<CursorPlaces::Place> place_;
  std::shared_ptr<SqliteCursorSessions> sessions_;
  std::unique_ptr<SqliteQueries> session_;
  Filter filter_;
  bool pattern_known_ = true;
  std::optional<RowRange> range_;  // nothing: the list is empty, or at its end
  bool at_first_;                  // the range begins with the first row after the skipped ones
  SqliteStatement* rows_ = nullptr;
  std::uint64_t remaining_;
};

}  // namespace deployd::storage
