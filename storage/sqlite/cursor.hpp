// Reads long lists from a SQLite store in bounded steps.
#pragma once

#include <boost/asio/any_io_executor.hpp>

#include <memory>

#include "storage/cursor_places.hpp"
#include "storage/sqlite/queries.hpp"
#include "storage/store.hpp"

namespace deployd::storage {

/// The cursors of one worker and their sessions. A streamed list keeps its snapshot as long as its client reads, so it
/// cannot share the worker's session. Must be used on the worker's thread. Cursors keep this object alive.
class SqliteCursors : public std::enable_shared_from_this<SqliteCursors> {
 public:
  /// `left_out` must outlive the cursors as well.
  SqliteCursors(boost::asio::any_io_executor worker, SqliteUrl url, LeftOutRows& left_out)
      : worker_(std::move(worker)), url_(std::move(url)), left_out_(left_out) {}

  /// Takes a session and begins its snapshot. The cursor takes `place`. Fails with the errors of `Store::open_cursor`,
  /// and with `errc::busy` at once, and leaves `place` then. Throws `Error`.
  boost::system::result<std::unique_ptr<Cursor>> open(Filter const& filter, CursorPlaces::Place& place);

 private:
  class SqliteCursor;

  std::unique_ptr<SqliteQueries> take_session();
  void give_back(std::unique_ptr<SqliteQueries> session) noexcept;

  boost::asio::any_io_executor worker_;
  SqliteUrl url_;
  LeftOutRows& left_out_;
  std::unique_ptr<SqliteQueries> idle_;  // one is kept open: usually there is one stream at a time
};

}  // namespace deployd::storage
