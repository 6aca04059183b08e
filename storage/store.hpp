// The questions that deployd asks its store while it serves.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/system/result.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "storage/filter.hpp"
#include "storage/pool_metrics.hpp"
#include "storage/query_metrics.hpp"

namespace deployd::storage {

template <typename T>
using Answer = boost::asio::awaitable<boost::system::result<T>>;

using Sha256 = std::array<unsigned char, 32>;

/// Takes the rows of a query, straight from the bound columns.
/// `name` is valid during the call only, nothing stands for NULL, and its bytes are any: other programs write them. May
/// be called on a thread of the store's own, but never while the coroutine that waits for the query runs. Must not
/// throw but for want of memory.
class RowSink {
 public:
  /// False when the sink has had enough for now: the row was taken, and no further one is given in this call.
  virtual bool row(std::int64_t id, std::int64_t pattern_id, std::optional<std::string_view> name) = 0;

 protected:
  ~RowSink() = default;
};

/// An API token as the store knows it: never the token itself.
struct ApiToken {
  std::int64_t id;
  std::string name;
  std::optional<std::chrono::sys_seconds> expires;
  bool revoked;
};

/// What a bounded list found out besides its rows.
struct Listing {
  bool pattern_known;  // false: `Filter::pattern` names no pattern, and there are no rows
  bool complete;       // false: more than `max_rows` rows belong to the list, so read it through a cursor
  bool more;           // rows would follow behind `Filter::limit`; meaningful when complete
};

/// A list being read in bounded steps from one consistent snapshot, on a session of its own.
/// Destroying it, at any time between two calls, lets go of the snapshot and the session.
class Cursor {
 public:
  virtual ~Cursor() = default;

  /// False when `Filter::pattern` names no pattern.
  virtual bool pattern_known() const noexcept = 0;

  /// For a filter with a limit: the id of the last row within the limit, if rows follow behind it in the snapshot;
  /// otherwise nothing. To be asked before the first `read`. Bounded steps, however far the limit is.
  virtual Answer<std::optional<std::int64_t>> last_id_before_more() = 0;

  /// Gives up to `max_rows` further rows to `sink`, fewer when it has had enough. True while there may be more, false
  /// when the list is at its end. Other coroutines of the worker get their turn in every call.
  virtual Answer<bool> read(std::size_t max_rows, RowSink& sink) = 0;
};

/// For whom a list is read through a cursor, and until when.
struct CursorUse {
  std::uint64_t token;   // whose places are taken: the same number for the same token
  bool streamed = true;  // as fast as a client takes it; false: to its end at once, or not at all
};

/// The store as one worker sees it. All members are called on that worker's thread only; awaited members resume
/// there. Arguments taken by reference must live until the awaited call is done.
///
/// Rows that cannot be a deployment, since other programs have put there what is no id, are left out of every answer
/// and told to `LeftOutRows`.
///
/// Expected failures are `errc::unavailable`, `overloaded`, `timeout`, `busy`, `corrupt`; anything else throws.
class Store {
 public:
  virtual ~Store() = default;

  /// A number that differs whenever the data may differ: an answer rendered while it was N may be given as long as it
  /// still is N. Read it before the query whose answer is to be kept. Nothing while no promise can be made (the
  /// store is away, changes cannot be noticed): then nothing may be kept or reused. Cheap: no allocation, no waiting.
  virtual std::optional<std::uint64_t> data_version() noexcept = 0;

  /// Gives the deployment with this id to `sink`; false when there is none.
  virtual Answer<bool> deployment(std::int64_t id, RowSink& sink) = 0;

  /// Gives the rows of `filter` to `sink`, at most `max_rows`, all of one snapshot. When the list is longer (or has
  /// `skip` beyond a bound, where finding its start would hold up the worker), the listing says `complete == false`
  /// and what the sink got is to be thrown away. Never takes longer than a few milliseconds of the worker's thread.
  virtual Answer<Listing> list(Filter const& filter, std::size_t max_rows, RowSink& sink) = 0;

  /// Opens a cursor. When as many as are allowed are being read already, waits for its turn, and fails with
  /// `errc::overloaded` when that takes too long. No token has more than half of them. Lists that are streamed and
  /// those that are not have places of their own: clients that read slowly hold up nobody who asks for a few rows.
  virtual Answer<std::unique_ptr<Cursor>> open_cursor(Filter const& filter, CursorUse use) = 0;

  /// The API token with this SHA-256, revoked and expired ones included.
  virtual Answer<std::optional<ApiToken>> api_token(Sha256 const& hash) = 0;

  /// Notes that a token was used now; written to the store in batches, within a minute, off the worker's thread.
  virtual void note_token_used(std::int64_t token_id) noexcept = 0;

  /// Succeeds if the store answers a trivial query.
  virtual Answer<bool> ping() = 0;

  /// What was asked so far. Any thread.
  QueryMetrics const& metrics() const noexcept { return metrics_; }

  /// Those of its sessions; null where questions do not wait for one. Any thread.
  virtual PoolMetrics const* pool_metrics() const noexcept { return nullptr; }

 protected:
  QueryMetrics metrics_;
};

}  // namespace deployd::storage
