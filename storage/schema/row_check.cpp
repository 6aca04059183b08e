#include "storage/schema/row_check.hpp"

#include <fmt/format.h>
#include <soci/soci.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include "base/utf8.hpp"
#include "storage/error.hpp"
#include "storage/session/session.hpp"
#include "storage/session/sqlite_statement.hpp"
#include "storage/store.hpp"
#include "storage/transaction.hpp"

namespace deployd::storage {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// What is wrong with a row, in the order of the report.
enum class Flaw { bad_id, bad_pattern_id, null_name, not_utf8, repeated_id, no_pattern, repeated_name };

/// The number of rows with a flaw, and an example.
struct Finding {
  Flaw flaw;
  std::int64_t rows;
  std::string example;
};

std::string plural(std::int64_t count, std::string_view one, std::string_view several) {
  return fmt::format("{} {}", count, count == 1 ? one : several);
}

std::string line_of(std::string const& table, Finding const& found) {
  auto const rows = plural(found.rows, "row has", "rows have");
  auto const& example = found.example;
  switch (found.flaw) {
    case Flaw::bad_id:
      return fmt::format("{}: {} no integer of 64 bits in id, such as {}; they are left out", table, rows, example);
    case Flaw::bad_pattern_id:
      return fmt::format("{}: {} no integer of 64 bits in pattern_id, such as id {}; they are left out", table, rows,
                         example);
    case Flaw::null_name: return fmt::format("{}: {} NULL as name, such as id {}", table, rows, example);
    case Flaw::not_utf8:
      return fmt::format("{}: {} a name that is not UTF-8, such as id {}; export refuses it", table, rows, example);
    case Flaw::repeated_id:
      return fmt::format("{}: {} there more than once, such as {}; pages of lists lose rows", table,
                         plural(found.rows, "id is", "ids are"), example);
    case Flaw::no_pattern:
      return fmt::format("{}: {} a pattern_id that no pattern has, such as id {}", table, rows, example);
    case Flaw::repeated_name:
      return fmt::format("{}: {} there more than once, such as that of id {}; ?pattern= finds one of them", table,
                         plural(found.rows, "name is", "names are"), example);
  }
  return {};
}

/// Interrupts the statements of a session after a deadline.
class SqliteDeadline {
 public:
  SqliteDeadline(soci::session& sql, Clock::time_point end) : handle_(sqlite_handle(sql)), end_(end) {
    constexpr int instructions = 10'000;
    sqlite_api::sqlite3_progress_handler(handle_, instructions, is_past, this);
  }
  ~SqliteDeadline() { sqlite_api::sqlite3_progress_handler(handle_, 0, nullptr, nullptr); }
  SqliteDeadline(SqliteDeadline const&) = delete;
  SqliteDeadline& operator=(SqliteDeadline const&) = delete;

 private:
  static int is_past(void* self) { return Clock::now() > static_cast<SqliteDeadline*>(self)->end_ ? 1 : 0; }

  sqlite_api::sqlite3* handle_;
  Clock::time_point end_;
};

/// A condition that is true for rows with a flaw.
struct Condition {
  Flaw flaw;
  std::string sql;
};

/// A query that returns a number of rows and an example for each of its flaws, as text.
struct Question {
  std::vector<Flaw> flaws;
  std::string sql;
};

/// A function for SQLite, whose texts can have any bytes.
constexpr auto is_utf8 = "deployd_is_utf8";

void is_utf8_in_sql(sqlite_api::sqlite3_context* context, int, sqlite_api::sqlite3_value** values) {
  auto const* const text = reinterpret_cast<char const*>(sqlite_api::sqlite3_value_text(*values));
  auto const size = static_cast<std::size_t>(sqlite_api::sqlite3_value_bytes(*values));
  sqlite_api::sqlite3_result_int(context, text == nullptr || base::is_utf8({text, size}) ? 1 : 0);
}

/// Returns one query for all of `conditions`, so that the rows are read once. Examples are ids.
Question question_about_rows(std::string const& relation, std::vector<Condition> const& conditions) {
  Question question;
  std::string columns;
  for (auto const& [flaw, sql] : conditions) {
    auto const* const example = flaw == Flaw::bad_id ? "coalesce('''' || CAST(id AS text) || '''', 'NULL')" : "id";
    columns += fmt::format("{}count(*) FILTER (WHERE {}), min({}) FILTER (WHERE {})", columns.empty() ? "" : ", ", sql,
                           example, sql);
    question.flaws.push_back(flaw);
  }
  question.sql = fmt::format("SELECT {} FROM {}", columns, relation);
  return question;
}

/// Returns a query for values of a column that are in several rows.
Question question_about_repetition(Flaw flaw, std::string const& relation, std::string const& column,
                                   std::string const& where) {
  return {{flaw},
          fmt::format("SELECT count(*), min(id) FROM (SELECT min(id) AS id FROM {} WHERE {} GROUP BY {} "
                      "HAVING count(*) > 1) AS repeated",
                      relation, where, column)};
}

std::vector<Question> questions_about(Table table, RelationNames const& names, bool sqlite) {
  auto const whole = [sqlite](std::string const& column) {
    return sqlite ? "typeof(" + column + ") = 'integer'" : is_whole_number(column);
  };
  auto const& relation = table == Table::patterns ? names.patterns : names.deployments;
  auto const id = whole("id");
  std::vector<Condition> conditions{{Flaw::bad_id, id + " IS NOT TRUE"}, {Flaw::null_name, id + " AND name IS NULL"}};
  if (sqlite) conditions.push_back({Flaw::not_utf8, fmt::format("{} AND NOT {}(name)", id, is_utf8)});
  if (table == Table::deployments)
    conditions.push_back({Flaw::bad_pattern_id, id + " AND " + whole("pattern_id") + " IS NOT TRUE"});
  std::vector questions{question_about_rows(relation, conditions),
                        question_about_repetition(Flaw::repeated_id, relation, "id", id)};
  if (table == Table::patterns)
    questions.push_back(
        question_about_repetition(Flaw::repeated_name, relation, "CAST(name AS text)", id + " AND name IS NOT NULL"));
  else
    questions.push_back({{Flaw::no_pattern},
                         fmt::format("SELECT count(*), min(id) FROM {} WHERE {} AND {} AND pattern_id IN "
                                     "(SELECT pattern_id FROM {} EXCEPT SELECT id FROM {})",
                                     relation, id, whole("pattern_id"), relation, names.patterns)});
  return questions;
}

/// Runs one query, and appends what it finds.
void ask(soci::session& sql, Question const& question, std::vector<Finding>& findings) {
  std::vector<long long> rows(question.flaws.size());
  std::vector<std::string> examples(question.flaws.size());
  std::vector<soci::indicator> known(question.flaws.size());
  soci::statement statement(sql);
  for (std::size_t i = 0; i < question.flaws.size(); ++i) {
    statement.exchange(soci::into(rows[i]));
    statement.exchange(soci::into(examples[i], known[i]));
  }
  statement.alloc();
  statement.prepare(question.sql, soci::details::st_one_time_query);
  statement.define_and_bind();
  statement.execute(true);
  for (std::size_t i = 0; i < question.flaws.size(); ++i)
    if (rows[i] > 0) findings.push_back({question.flaws[i], rows[i], base::to_valid_utf8(examples[i])});
}

/// Asks everything about one table while there is time, and returns the lines of the report.
std::vector<std::string> look_at(soci::session& sql, DatabaseUrl const& url, std::string const& table,
                                 std::vector<Question> const& questions, Clock::time_point end, milliseconds patience) {
  bool const sqlite = std::holds_alternative<SqliteUrl>(url);
  std::vector<Finding> findings;
  bool done = true;
  for (auto const& question : questions) {
    auto const left = std::chrono::duration_cast<milliseconds>(end - Clock::now());
    if (left.count() <= 0) {
      done = false;
      break;
    }
    try {
      Transaction const transaction(sql, sqlite ? "BEGIN" : "BEGIN READ ONLY");
      if (!sqlite) sql << "SET LOCAL statement_timeout = " << left.count();
      ask(sql, question, findings);
    } catch (soci::soci_error const& failure) {
      auto const error = translate(failure, url);
      if (error.code() != errc::timeout)
        throw sqlite ? error : Error(error.code(), "relation " + table + ": its rows cannot be read: " + error.what());
      done = false;
    }
  }
  std::ranges::sort(findings, {}, &Finding::flaw);
  std::vector<std::string> lines;
  for (auto const& finding : findings) lines.push_back(line_of(table, finding));
  if (!done) lines.push_back(fmt::format("{}: not looked through to the end within {} ms", table, patience.count()));
  return lines;
}

}  // namespace

std::vector<std::string> check_rows(DatabaseUrl const& url, Relations const& relations, milliseconds patience) {
  bool const sqlite = std::holds_alternative<SqliteUrl>(url);
  if (!sqlite && !relations.foreign()) return {};
  return translating(url, [&] {
    auto const session = open_session(url, Access::read);
    auto const end = Clock::now() + patience;
    std::optional<SqliteDeadline> deadline;
    if (sqlite) {
      deadline.emplace(*session, end);
      sqlite_api::sqlite3_create_function_v2(sqlite_handle(*session), is_utf8, 1, SQLITE_UTF8, nullptr, is_utf8_in_sql,
                                             nullptr, nullptr, nullptr);
    }
    auto const names = sqlite ? RelationNames{"patterns", "deployments", true} : relation_names(relations);
    auto const shown = table_names(url, relations);
    auto lines = look_at(*session, url, shown.patterns, questions_about(Table::patterns, names, sqlite), end, patience);
    for (auto& line :
         look_at(*session, url, shown.deployments, questions_about(Table::deployments, names, sqlite), end, patience))
      lines.push_back(std::move(line));
    return lines;
  });
}

}  // namespace deployd::storage
