#include "storage/transfer/postgresql_export.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "storage/left_out_rows.hpp"
#include "storage/relation_name.hpp"
#include "storage/schema/privileges.hpp"
#include "storage/session/postgresql_command.hpp"
#include "storage/session/session.hpp"
#include "storage/transfer/export_writer.hpp"
#include "storage/whole_number.hpp"

namespace deployd::storage {
namespace {

struct FreeCopied {
  void operator()(char* row) const noexcept { PQfreemem(row); }
};

/// Returns a column of COPY's text format (https://www.postgresql.org/docs/15/sql-copy.html) with its escapes decoded.
std::string_view unescaped(std::string_view column, std::string& space) {
  auto escape = column.find('\\');
  if (escape == column.npos) return column;
  space.clear();
  while (escape != column.npos && escape + 1 < column.size()) {
    space += column.substr(0, escape);
    switch (char const escaped = column[escape + 1]) {
      case 'b': space += '\b'; break;
      case 'f': space += '\f'; break;
      case 'n': space += '\n'; break;
      case 'r': space += '\r'; break;
      case 't': space += '\t'; break;
      case 'v': space += '\v'; break;
      default: space += escaped; break;
    }
    column.remove_prefix(escape + 2);
    escape = column.find('\\');
  }
  return space += column;
}

/// Splits a row of COPY into columns from front to back.
class Columns {
 public:
  explicit Columns(std::string_view row) : rest_(row) {
    if (!rest_.empty() && rest_.back() == '\n') rest_.remove_suffix(1);
  }

  std::string_view text() {
    auto const end = rest_.find('\t');
    auto const column = rest_.substr(0, end);
    rest_.remove_prefix(end == rest_.npos ? rest_.size() : end + 1);
    return column;
  }

  /// Returns the next column, or nothing for NULL.
  std::optional<std::string_view> value() {
    auto const column = text();
    return column == "\\N" ? std::nullopt : std::optional(column);
  }

 private:
  std::string_view rest_;
};

/// Reads the result of `query` with COPY, which neither collects the rows here nor needs a cursor on the server.
template <typename TakeRow>
void copy_rows(soci::session& sql, std::string const& query, TakeRow const& take_row) {
  run(sql, "COPY (" + query + ") TO STDOUT");
  auto* const connection = postgresql_connection(sql);
  while (true) {
    char* data = nullptr;
    int const size = PQgetCopyData(connection, &data, 0);
    if (size < 0) break;
    std::unique_ptr<char, FreeCopied> const row(data);
    take_row(Columns({data, static_cast<std::size_t>(size)}));
  }
  PostgresqlResult const result(PQgetResult(connection));
  while (PostgresqlResult const further{PQgetResult(connection)}) {
  }
  if (PQresultStatus(result.get()) != PGRES_COMMAND_OK) throw_failure(connection, result.get());
}

/// Returns the id in a column. If there is none, returns nothing and records the row as left out; `row` is the id of
/// the row, unless that is the column read.
std::optional<std::int64_t> id_in(std::optional<std::string_view> column, BadColumn bad,
                                  std::optional<std::int64_t> row, LeftOutRows& left_out) {
  auto const id = column ? whole_number(*column) : std::nullopt;
  if (!id) left_out.add({.column = bad, .value = column, .id = row});
  return id;
}

}  // namespace

void export_postgresql(DatabaseUrl const& url, Relations const& relations, ExportWriter& writer,
                       LeftOutRows& left_out) {
  auto const names = relation_names(relations);
  auto const session = open_session(url, Access::read);
  auto& sql = *session;
  // Ended by closing the session: a rollback in the middle of a COPY would have to read it to its end first.
  run(sql, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
  // Time limits meant for queries do not suit an export, whose reader may be slow.
  run(sql, "SET LOCAL statement_timeout = 0");
  require_privileges(sql, url, {{names.patterns, "SELECT"}, {names.deployments, "SELECT"}});
  std::string space;
  auto const name_in = [&space](Columns& row) -> std::optional<std::string_view> {
    auto const column = row.value();
    if (!column) return std::nullopt;
    return unescaped(*column, space);
  };
  // Ids of another program are selected unchanged: casting a value that is not a bigint would fail or change the
  // number.
  if (writer.has_patterns())
    copy_rows(sql, "SELECT id, name::text FROM " + names.patterns + " ORDER BY 1", [&](Columns row) {
      auto const id = id_in(row.value(), BadColumn::pattern_id, std::nullopt, left_out);
      if (id) writer.pattern(*id, name_in(row));
    });
  writer.begin_deployments();
  if (!writer.has_deployments()) return;
  copy_rows(sql, "SELECT id, pattern_id, name::text FROM " + names.deployments + " ORDER BY 1", [&](Columns row) {
    auto const id = id_in(row.value(), BadColumn::deployment_id, std::nullopt, left_out);
    if (!id) return;
    auto const pattern_id = id_in(row.value(), BadColumn::deployment_pattern_id, id, left_out);
    if (pattern_id) writer.deployment(*id, *pattern_id, name_in(row));
  });
}

}  // namespace deployd::storage
