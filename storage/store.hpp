// The queries that deployd sends to its store while it serves.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/system/result.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "storage/query_metrics.hpp"
#include "storage/sha256.hpp"

namespace deployd::storage {

template <typename T>
using Answer = boost::asio::awaitable<boost::system::result<T>>;

/// The table of a list. For patterns only `name`, `id_greater_than`, `limit` and `skip` are used.
enum class Table : std::uint8_t { deployments, patterns };

/// All conditions that are set must hold. Results are always in ascending order of id.
struct Filter {
  Table table = Table::deployments;
  std::optional<std::string> pattern = {};  // the exact name of the pattern
  std::optional<std::int64_t> pattern_id = {};
  std::optional<std::string> name = {};  // the exact name of the row
  std::optional<std::int64_t> id_greater_than = {};
  std::optional<std::uint64_t> limit = {};  // maximum number of rows, after skipping; may be 0
  std::uint64_t skip = 0;                   // number of rows to skip first
};

/// Receives the rows of a query, directly from the bound columns. `name` is valid only during the call; nothing stands
/// for NULL, and it may contain any bytes, since other programs write it. May be called on a thread of the store, but
/// never while the coroutine that waits for the query runs. Must only throw if memory runs out.
class RowSink {
 public:
  /// Returns false if the sink is full for now: the row was accepted, and no further one is passed in this call.
  virtual bool row(std::int64_t id, std::int64_t pattern_id, std::optional<std::string_view> name) = 0;

 protected:
  ~RowSink() = default;
};

/// An API token as stored: never the token itself.
struct ApiToken {
  std::int64_t id;
  std::string name;
  std::optional<std::chrono::sys_seconds> expires;
  bool revoked;
};

/// The result of a bounded list besides its rows.
struct Listing {
  bool pattern_known;  // false: `Filter::pattern` names no existing pattern, and there are no rows
  bool complete;       // false: the list has more than `max_rows` rows, so read it through a cursor
  bool more;           // more rows follow after `Filter::limit`; valid if complete
};

/// A list being read in bounded steps from one consistent snapshot, on a session of its own. Destroying it, at any time
/// between two calls, releases the snapshot and the session.
class Cursor {
 public:
  virtual ~Cursor() = default;

  /// False if `Filter::pattern` names no existing pattern.
  virtual bool pattern_known() const noexcept = 0;

  /// For a filter with a limit: returns the id of the last row within the limit if more rows follow it in the snapshot,
  /// otherwise nothing. Must be called before the first `read`. Works in bounded steps, however high the limit is.
  virtual Answer<std::optional<std::int64_t>> last_id_before_more() = 0;

  /// Passes up to `max_rows` further rows to `sink`, fewer if it is full. Returns true while there may be more, false
  /// at the end of the list. Other coroutines of the worker get their turn in every call.
  virtual Answer<bool> read(std::size_t max_rows, RowSink& sink) = 0;
};

/// The token for which a list is read through a cursor, and how.
struct CursorUse {
  std::uint64_t token;   // the token that uses the place: the same number for the same token
  bool streamed = true;  // as fast as a client receives it; false: all rows at once, or none
};

/// The store as seen by one worker. All members must be called on that worker's thread; awaited members resume there.
/// Arguments passed by reference must live until the awaited call has completed.
///
/// Rows that are not valid deployments, because other programs have written values that are not ids, are left out of
/// every response and reported to `LeftOutRows`.
///
/// Expected failures are `errc::unavailable`, `overloaded`, `timeout`, `busy`, `corrupt`; anything else throws.
class Store {
 public:
  virtual ~Store() = default;

  /// Returns a number that changes whenever the data may have changed: a response rendered while it was N may be reused
  /// while it is N. It must be read before the query whose response is cached. Nothing if changes cannot be detected
  /// (for example because the store is unreachable): then nothing may be cached or reused. Cheap: does not allocate or
  /// wait.
  virtual std::optional<std::uint64_t> data_version() noexcept = 0;

  /// Passes the deployment with this id to `sink`. Returns false if there is none.
  virtual Answer<bool> deployment(std::int64_t id, RowSink& sink) = 0;

  /// Passes the rows of `filter` to `sink`, at most `max_rows`, all from one snapshot. If the list is longer (or has
  /// `skip` beyond a limit, where finding its start would block the worker), the listing has `complete == false` and
  /// the rows passed to the sink must be discarded. Never takes longer than a few milliseconds of the worker's thread.
  virtual Answer<Listing> list(Filter const& filter, std::size_t max_rows, RowSink& sink) = 0;

  /// Opens a cursor. If the maximum number is in use, waits for a place, and fails with `errc::overloaded` if that
  /// takes too long. No token can use more than half of the places. Streamed lists and others have separate places:
  /// clients that read slowly do not delay short lists.
  virtual Answer<std::unique_ptr<Cursor>> open_cursor(Filter const& filter, CursorUse use) = 0;

  /// Returns the API token with this SHA-256, even if it is revoked or expired.
  virtual Answer<std::optional<ApiToken>> api_token(Sha256 const& hash) = 0;

  /// Records that a token was used now. Uses are written to the store in batches, within a minute, off the worker's
  /// thread.
  virtual void note_token_used(std::int64_t token_id) noexcept = 0;

  /// Succeeds if the store answers a trivial query.
  virtual Answer<bool> ping() = 0;

  /// The metrics of queries. Safe to read from any thread.
  QueryMetrics const& metrics() const noexcept { return metrics_; }

  /// The metrics of its sessions; null if queries do not wait for one. Safe to read from any thread.
  virtual PoolMetrics const* pool_metrics() const noexcept { return nullptr; }

 protected:
  QueryMetrics metrics_;
};

}  // namespace deployd::storage
