#include "storage/schema/column_types.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "storage/error.hpp"
#include "storage/relation_name.hpp"
#include "storage/schema/privileges.hpp"
#include "storage/session/postgresql_command.hpp"
#include "storage/session/session.hpp"

namespace deployd::storage {
namespace {

struct Table {
  std::string_view name;
  std::vector<std::string> numbers;  // columns of ids; all tables have a `name` as well
};

std::vector<Table> tables() {
  return {{"patterns", {"id"}}, {"deployments", {"id", "pattern_id"}}};
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != text.npos;
}

/// True if a column of this type compares its values as text or as floating point numbers: affinity TEXT or REAL
/// (https://www.sqlite.org/datatype3.html#determination_of_column_affinity).
bool compares_otherwise(std::string type) {
  std::ranges::transform(type, type.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  if (contains(type, "INT")) return false;
  for (auto const part : {"CHAR", "CLOB", "TEXT", "REAL", "FLOA", "DOUB"})
    if (contains(type, part)) return true;
  return false;
}

void require_table(soci::session& sql, std::string const& path, Table const& table) {
  auto const where = path + ": the table " + std::string(table.name);
  std::string column, type;
  soci::statement columns =
      (sql.prepare << "SELECT lower(name), coalesce(type, '') FROM pragma_table_info('" << table.name << "')",
       soci::into(column), soci::into(type));
  std::map<std::string, std::string, std::less<>> types;
  columns.execute();
  while (columns.fetch()) types.emplace(column, type);
  auto needed = table.numbers;
  needed.emplace_back("name");
  for (auto const& name : needed)
    if (!types.contains(name)) throw Error(errc::unsuitable, fmt::format("{} has no column {}", where, name));
  for (auto const& name : table.numbers)
    if (compares_otherwise(types[name]))
      throw Error(errc::unsuitable,
                  fmt::format("{} has the column {} of type {}; it must be INTEGER", where, name, types[name]));
}

/// The types that compare exactly with an integer: bigint, smallint, integer, numeric.
/// https://github.com/postgres/postgres/blob/REL_15_STABLE/src/include/catalog/pg_type.dat
constexpr std::array<Oid, 4> number_types{20, 21, 23, 1700};

std::string joined(std::vector<std::string> const& columns) {
  std::string text;
  for (auto const& column : columns) text += column + ", ";
  return text;
}

void require_relation(soci::session& sql, DatabaseUrl const& url, std::string const& quoted, std::string const& name,
                      Table const& table) {
  try {
    auto const rows = run(sql, "SELECT " + joined(table.numbers) + "name::text FROM " + quoted + " LIMIT 0");
    for (std::size_t index = 0; index < table.numbers.size(); ++index) {
      auto const type = PQftype(rows.get(), static_cast<int>(index));
      if (std::ranges::find(number_types, type) != number_types.end()) continue;
      auto const type_name = run(sql, "SELECT format_type(" + std::to_string(type) + ", NULL)");
      throw Error(errc::unsuitable, "relation " + name + ": the column " + table.numbers[index] + " is of type " +
                                        PQgetvalue(type_name.get(), 0, 0) +
                                        "; deployd needs smallint, integer, bigint or numeric");
    }
  } catch (soci::soci_error const& failure) {
    auto const error = translate(failure, url);
    auto const grants = error.code() == errc::forbidden ? missing_grants(sql, {{quoted, "SELECT"}}) : std::string();
    throw Error(error.code(), "relation " + name + ": " + error.what() +
                                  (grants.empty() ? "" : "; run as the owner of the relation: " + grants));
  }
}

}  // namespace

void require_columns(soci::session& sql, SqliteUrl const& url) {
  for (auto const& table : tables()) require_table(sql, url.path, table);
}

void require_columns(soci::session& sql, DatabaseUrl const& url, Relations const& relations) {
  auto const quoted = relation_names(relations);
  auto const known = tables();
  require_relation(sql, url, quoted.patterns, relations.patterns, known[0]);
  require_relation(sql, url, quoted.deployments, relations.deployments, known[1]);
}

}  // namespace deployd::storage
