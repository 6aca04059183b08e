#include "storage/schema/row_estimate.hpp"

#include <fmt/format.h>
#include <soci/soci.h>

#include <chrono>
#include <variant>

#include "storage/session/session.hpp"
#include "storage/transaction.hpp"

namespace deployd::storage {
namespace {

using Kind = RowEstimate::Kind;

constexpr long long most_counted = 10'000;

// A wider range of ids does not indicate the number of rows.
constexpr unsigned long long widest_range = 1'000'000'000'000ULL;

constexpr std::chrono::seconds patience{1};

/// Returns the number of rows, but at most one more than the limit of counting.
long long count_some(soci::session& sql, std::string const& table) {
  long long count = 0;
  sql << "SELECT count(*) FROM (SELECT 1 FROM " << table << " LIMIT " << most_counted + 1 << ") AS counted",
      soci::into(count);
  return count;
}

RowEstimate estimate_sqlite(soci::session& sql, std::string const& table) {
  auto const counted = count_some(sql, table);
  if (counted <= most_counted) return {Kind::exact, counted};
  long long first = 0;
  long long last = 0;
  // Queried separately: for both at once SQLite reads the whole table.
  sql << "SELECT min(id) FROM " << table, soci::into(first);
  sql << "SELECT max(id) FROM " << table, soci::into(last);
  auto const range = static_cast<unsigned long long>(last) - static_cast<unsigned long long>(first);
  if (range >= widest_range) return {Kind::more_than, most_counted};
  return {Kind::at_most, static_cast<std::int64_t>(range) + 1};
}

RowEstimate estimate_postgresql(soci::session& sql, std::string const& table) {
  auto const counted = count_some(sql, table);
  if (counted <= most_counted) return {Kind::exact, counted};
  long long noted = 0;
  sql << "SELECT reltuples::bigint FROM pg_catalog.pg_class WHERE oid = '" << table << "'::regclass", soci::into(noted);
  // 0 or -1 until the table is first analyzed.
  if (noted <= most_counted) return {Kind::more_than, most_counted};
  return {Kind::about, noted};
}

}  // namespace

StoreSize estimate_size(DatabaseUrl const& url) {
  return translating(url, [&]() -> StoreSize {
    auto const session = open_session(url, Access::read, patience);
    if (std::holds_alternative<SqliteUrl>(url))
      return {estimate_sqlite(*session, "patterns"), estimate_sqlite(*session, "deployments")};
    // For this transaction only: a pooler may pass the session to another client.
    Transaction transaction(*session, "BEGIN");
    *session << "SET LOCAL statement_timeout = " << std::chrono::milliseconds(patience).count();
    StoreSize const size{estimate_postgresql(*session, "deployd.patterns"),
                         estimate_postgresql(*session, "deployd.deployments")};
    transaction.commit();
    return size;
  });
}

std::string to_text(RowEstimate const& estimate, std::string_view noun) {
  auto const words = [kind = estimate.kind]() -> std::string_view {
    switch (kind) {
      case Kind::exact: return "";
      case Kind::about: return "about ";
      case Kind::at_most: return "at most ";
      case Kind::more_than: return "more than ";
    }
    return "";
  }();
  return fmt::format("{}{} {}{}", words, estimate.rows, noun, estimate.rows == 1 ? "" : "s");
}

}  // namespace deployd::storage
