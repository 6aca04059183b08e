#include "storage/schema/row_check.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "base/utf8.hpp"
#include "storage/error.hpp"
#include "storage/relation_name.hpp"
#include "storage/session/postgresql_command.hpp"
#include "storage/session/session.hpp"
#include "storage/session/sqlite_statement.hpp"
#include "storage/transaction.hpp"

namespace deployd::storage {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// What is wrong with a row.
enum class Flaw { bad_id, bad_pattern_id, null_name, not_utf8, repeated_id, no_pattern, repeated_name };

/// The number of rows with a flaw, and an example.
struct Finding {
  std::int64_t rows = 0;
  std::string example;
};

std::string plural(std::int64_t count, std::string_view one, std::string_view several) {
  return fmt::format("{} {}", count, count == 1 ? one : several);
}

std::string line_of(std::string const& table, Flaw flaw, Finding const& found) {
  auto const rows = plural(found.rows, "row has", "rows have");
  auto const& example = found.example;
  switch (flaw) {
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

std::string unfinished(std::string const& table, milliseconds patience) {
  return fmt::format("{}: not looked through to the end within {} ms", table, patience.count());
}

// --- SQLite ---------------------------------------------------------------------------------------------------------

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

/// The findings in one table, in the order of the report.
class Findings {
 public:
  void add(Flaw flaw, std::string const& example) {
    auto& finding = found_[flaw];
    if (finding.rows++ == 0) finding.example = example;
  }
  void put(Flaw flaw, Finding finding) {
    if (finding.rows > 0) found_[flaw] = std::move(finding);
  }
  void append_to(std::vector<std::string>& lines, std::string const& table) const {
    for (auto const& [flaw, finding] : found_) lines.push_back(line_of(table, flaw, finding));
  }

 private:
  std::map<Flaw, Finding> found_;
};

std::string shown(SqliteStatement const& row, int column) {
  return row.null(column) ? "NULL" : "'" + base::to_valid_utf8(row.text(column)) + "'";
}

/// Checks rows of `id, pattern_id, name` in the order of id.
void look_at_rows(soci::session& sql, std::string const& select, Findings& findings) {
  SqliteStatement row(sql, select);
  std::optional<std::int64_t> last;
  bool repeated = false;
  while (row.next()) {
    if (!row.whole_number(1)) {
      findings.add(Flaw::bad_id, shown(row, 1));
      continue;
    }
    auto const id = row.integer(1);
    auto const example = std::to_string(id);
    if (!row.whole_number(2)) findings.add(Flaw::bad_pattern_id, example);
    if (row.null(3))
      findings.add(Flaw::null_name, example);
    else if (!base::is_utf8(row.text(3)))
      findings.add(Flaw::not_utf8, example);
    bool const again = last == id;
    if (again && !repeated) findings.add(Flaw::repeated_id, example);
    repeated = again;
    last = id;
  }
}

std::vector<std::string> check_sqlite(DatabaseUrl const& url, milliseconds patience) {
  auto const names = table_names(url, {});
  auto const session = open_session(url, Access::read);
  auto& sql = *session;
  Transaction const snapshot(sql, "BEGIN");
  SqliteDeadline const deadline(sql, Clock::now() + patience);
  std::vector<std::string> lines;
  // Checks the rows of a table one by one, and counts those with one more flaw.
  auto const look_at = [&](std::string const& table, std::string const& rows, Flaw flaw, std::string const& flawed) {
    Findings findings;
    bool done = false;
    try {
      look_at_rows(sql, rows, findings);
      SqliteStatement counted(sql, flawed);
      counted.next();
      findings.put(flaw, {counted.integer(1), std::string(counted.text(2))});
      done = true;
    } catch (soci::sqlite3_soci_error const& failure) {
      if (failure.result() != SQLITE_INTERRUPT) throw;
    }
    findings.append_to(lines, table);
    if (!done) lines.push_back(unfinished(table, patience));
  };
  // The second column replaces one that patterns do not have.
  look_at(names.patterns, "SELECT id, 0, name FROM patterns ORDER BY id", Flaw::repeated_name,
          "SELECT count(*), min(id) FROM (SELECT min(id) AS id FROM patterns WHERE typeof(id) = 'integer' "
          "GROUP BY name HAVING name IS NOT NULL AND count(*) > 1)");
  look_at(names.deployments, "SELECT id, pattern_id, name FROM deployments ORDER BY id", Flaw::no_pattern,
          "SELECT count(*), min(id) FROM deployments WHERE typeof(id) = 'integer' AND "
          "typeof(pattern_id) = 'integer' AND pattern_id NOT IN (SELECT id FROM patterns WHERE id IS NOT NULL)");
  return lines;
}

// --- PostgreSQL -----------------------------------------------------------------------------------------------------

/// A query that returns a number of rows and an example, as text.
struct Question {
  Flaw flaw;
  std::string sql;
};

std::string counted(std::string const& example, std::string const& rest) {
  return "SELECT count(*), min(" + example + ") FROM " + rest;
}

std::vector<Question> questions_about(std::string const& table) {
  auto const whole_id = is_whole_number("id");
  return {
      {Flaw::bad_id,
       counted("coalesce('''' || id::text || '''', 'NULL')", table + " WHERE " + whole_id + " IS NOT TRUE")},
      {Flaw::null_name, counted("id", table + " WHERE " + whole_id + " AND name IS NULL")},
      {Flaw::repeated_id, counted("id", "(SELECT id FROM " + table + " WHERE " + whole_id +
                                            " GROUP BY id HAVING count(*) > 1) AS repeated")},
  };
}

std::vector<Question> questions_about_patterns(RelationNames const& names) {
  auto questions = questions_about(names.patterns);
  questions.push_back(
      {Flaw::repeated_name,
       counted("id", "(SELECT min(id) AS id FROM " + names.patterns + " WHERE " + is_whole_number("id") +
                         " AND name IS NOT NULL GROUP BY name::text HAVING count(*) > 1) AS repeated")});
  return questions;
}

std::vector<Question> questions_about_deployments(RelationNames const& names) {
  auto questions = questions_about(names.deployments);
  auto const whole_id = is_whole_number("id");
  questions.push_back({Flaw::bad_pattern_id, counted("id", names.deployments + " WHERE " + whole_id + " AND " +
                                                               is_whole_number("pattern_id") + " IS NOT TRUE")});
  questions.push_back(
      {Flaw::no_pattern,
       counted("id", names.deployments + " AS d WHERE " + whole_id + " AND " + is_whole_number("pattern_id") +
                         " AND NOT EXISTS (SELECT FROM " + names.patterns + " AS p WHERE p.id = d.pattern_id)")});
  return questions;
}

/// Runs all queries on one relation while there is time.
void ask(soci::session& sql, std::string const& table, std::vector<Question> const& questions, Clock::time_point end,
         milliseconds patience, std::vector<std::string>& lines) {
  Findings findings;
  bool done = true;
  for (auto const& question : questions) {
    auto const left = std::chrono::duration_cast<milliseconds>(end - Clock::now());
    if (left.count() <= 0) {
      done = false;
      break;
    }
    Transaction transaction(sql, "BEGIN READ ONLY");
    run(sql, "SET LOCAL statement_timeout = " + std::to_string(left.count()));
    try {
      auto const row = run(sql, question.sql);
      findings.put(question.flaw, {std::stoll(PQgetvalue(row.get(), 0, 0)), PQgetvalue(row.get(), 0, 1)});
    } catch (soci::postgresql_soci_error const& failure) {
      constexpr std::string_view timed_out = "57014";
      if (failure.sqlstate() != timed_out) throw;
      done = false;
    }
  }
  findings.append_to(lines, table);
  if (!done) lines.push_back(unfinished(table, patience));
}

std::vector<std::string> check_postgresql(DatabaseUrl const& url, Relations const& relations, milliseconds patience) {
  std::vector<std::string> lines;
  if (!relations.foreign()) return lines;
  auto const names = relation_names(relations);
  auto const session = open_session(url, Access::read);
  auto const end = Clock::now() + patience;
  auto const ask_about = [&](std::string const& relation, std::vector<Question> const& questions) {
    try {
      ask(*session, relation, questions, end, patience, lines);
    } catch (soci::soci_error const& failure) {
      auto const error = translate(failure, url);
      throw Error(error.code(), "relation " + relation + ": its rows cannot be read: " + error.what());
    }
  };
  ask_about(relations.patterns, questions_about_patterns(names));
  ask_about(relations.deployments, questions_about_deployments(names));
  return lines;
}

}  // namespace

std::vector<std::string> check_rows(DatabaseUrl const& url, Relations const& relations, milliseconds patience) {
  return translating(url, [&] {
    if (std::holds_alternative<SqliteUrl>(url)) return check_sqlite(url, patience);
    return check_postgresql(url, relations, patience);
  });
}

}  // namespace deployd::storage
