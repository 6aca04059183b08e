#include "storage/postgresql_export.hpp"

#include <charconv>
#include <memory>
#include <string>
#include <string_view>

#include "storage/export_writer.hpp"
#include "storage/postgresql_command.hpp"
#include "storage/relation_name.hpp"
#include "storage/session.hpp"

namespace deployd::storage {
namespace {

struct FreeCopied {
  void operator()(char* row) const noexcept { PQfreemem(row); }
};

/// A column of COPY's text format (https://www.postgresql.org/docs/15/sql-copy.html), without what was escaped in it.
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

/// The columns of one row of COPY, taken from front to back.
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

  std::int64_t integer() {
    auto const column = text();
    std::int64_t value = 0;
    std::from_chars(column.data(), column.data() + column.size(), value);
    return value;
  }

 private:
  std::string_view rest_;
};

/// Reads `query` by COPY, which neither gathers rows here nor needs a cursor there.
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

}  // namespace

void export_postgresql(DatabaseUrl const& url, Relations const& relations, ExportWriter& writer) {
  auto const names = relation_names(relations);
  auto const session = open_session(url, Access::read);
  auto& sql = *session;
  // Ended by closing the session: to roll back in the middle of a COPY would mean to read it to its end first.
  run(sql, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
  // Limits that are meant for queries do not suit an export, whose reader may be slow.
  run(sql, "SET LOCAL statement_timeout = 0");
  std::string space;
  // Names may be NULL in relations of another program. Answers have them empty, and COPY would write them as \N.
  copy_rows(sql, "SELECT id::bigint, coalesce(name::text, '') FROM " + names.patterns + " ORDER BY 1",
            [&](Columns row) {
              auto const id = row.integer();
              writer.pattern(id, unescaped(row.text(), space));
            });
  writer.begin_deployments();
  copy_rows(sql,
            "SELECT id::bigint, pattern_id::bigint, coalesce(name::text, '') FROM " + names.deployments + " ORDER BY 1",
            [&](Columns row) {
              auto const id = row.integer();
              auto const pattern_id = row.integer();
              writer.deployment(id, pattern_id, unescaped(row.text(), space));
            });
}

}  // namespace deployd::storage
