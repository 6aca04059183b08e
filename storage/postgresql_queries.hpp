// Every question that is put to a PostgreSQL store while it serves: its SQL and how its answer is read.
#pragma once

#include <boost/system/result.hpp>

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "storage/database_url.hpp"
#include "storage/postgresql_command.hpp"
#include "storage/relation_name.hpp"
#include "storage/row_buffer.hpp"
#include "storage/store.hpp"

namespace deployd::storage {

/// What is read, and where.
struct PostgresqlSource {
  PostgresqlUrl url;
  RelationNames relations;
  bool own_tables;                    // false: there are no API tokens
  std::chrono::milliseconds timeout;  // of a query; of connecting, in whole seconds
};

/// One session and its prepared statements. Blocking; for one thread at a time.
///
/// Every question fails with `errc::timeout` at its deadline, whether the server is busy, frozen or lost. After that,
/// or when the connection broke, the session is no longer `usable`.
class PostgresqlQueries {
 public:
  using Deadline = std::chrono::steady_clock::time_point;

  /// Connects to the host that can be written to, for it has every commit; when there is none, to any.
  /// Throws `Error`.
  explicit PostgresqlQueries(PostgresqlSource const& source);

  /// False when it has to be replaced: it broke, or it is of a standby and has been tried long enough.
  bool usable() const noexcept;

  /// PostgreSQL's words for the last failure, in one line.
  std::string const& message() const noexcept { return message_; }

  boost::system::result<bool> deployment(std::int64_t id, RowSink& sink, Deadline deadline);
  boost::system::result<Listing> list(Filter const& filter, std::size_t max_rows, RowSink& sink, Deadline deadline);
  boost::system::result<std::optional<ApiToken>> api_token(Sha256 const& hash, Deadline deadline);
  boost::system::result<bool> ping(Deadline deadline);

  /// Begins a snapshot in which the list of `filter` is read; false when it names an unknown pattern, and nothing has
  /// begun. See `Cursor` for the rest.
  boost::system::result<bool> begin_snapshot(Filter const& filter, Deadline deadline);
  boost::system::result<std::optional<std::int64_t>> last_id_before_more(Deadline deadline);
  /// The next rows of the list, fewer than `count` only at its end.
  boost::system::result<bool> fetch(std::size_t count, RowSink& sink, Deadline deadline);
  /// Ends the snapshot.
  void end_snapshot(Deadline deadline);

 private:
  using Parameters = std::vector<std::optional<std::string>>;

  boost::system::result<PostgresqlResult> execute(std::string const& sql, Parameters const& parameters,
                                                  Deadline deadline);
  boost::system::result<PostgresqlResult> await_result(Deadline deadline);
  boost::system::error_code fail(PGresult const* result);
  boost::system::error_code fail_at_deadline();
  std::string rows_sql(Filter const& filter) const;
  bool wait_for_server(bool to_write, Deadline deadline);

  PostgresqlSource source_;
  std::unique_ptr<soci::session> session_;
  std::chrono::steady_clock::time_point replace_at_ = std::chrono::steady_clock::time_point::max();
  std::map<std::string, std::string, std::less<>> prepared_;  // SQL -> name
  std::string message_;
  std::string sqlstate_;
  bool broken_ = false;
  Filter snapshot_filter_;
  std::optional<std::int64_t> snapshot_pattern_;
};

}  // namespace deployd::storage
