// CONTRACT: relations of another program, and tables of SQLite that another program made anew, hold what they like.
// Rows that cannot be a deployment are left out of every answer; the others are served as if they were alone.
#include <signal.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/generators/catch_generators_range.hpp>

#include <array>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/database_url.hpp"
#include "storage/session/session.hpp"
#include "tests/integration/admin_listener.hpp"
#include "tests/integration/running_deployd.hpp"

using namespace deployd::tests;
using namespace std::chrono_literals;
namespace storage = deployd::storage;

namespace {

std::string const list = "/api/v1/deployments";

/// Tables of another program: on PostgreSQL `p` and `d` in the schema `public`, on SQLite in the place of deployd's.
class ForeignTables {
 public:
  /// `types` are those of patterns.id, deployments.id, deployments.pattern_id and both names; "" is none (SQLite).
  ForeignTables(StoreKind kind, std::array<std::string, 4> const& types) {
    if (kind == StoreKind::sqlite) {
      url_ = "sqlite:" + (directory_.path() / "deployd.db").string();
      REQUIRE(run({"migrate"}).status == 0);
      write("DROP TABLE deployments");
      write("DROP TABLE patterns");
      patterns_ = "patterns";
      deployments_ = "deployments";
    } else {
      url_ = postgresql().create_database();
      REQUIRE(run({"migrate"}).status == 0);
      patterns_ = "p";
      deployments_ = "d";
      options_ = {"--patterns-relation", patterns_, "--deployments-relation", deployments_};
    }
    write("CREATE TABLE " + patterns_ + " (id " + types[0] + ", name " + types[3] + ")");
    write("CREATE TABLE " + deployments_ + " (id " + types[1] + ", pattern_id " + types[2] + ", name " + types[3] +
          ")");
  }

  void write(std::string const& statement) const {
    *storage::open_session(*storage::parse_database_url(url_), storage::Access::write) << statement;
  }
  void add_patterns(std::string const& values) const { write("INSERT INTO " + patterns_ + " VALUES " + values); }
  void add_deployments(std::string const& values) const { write("INSERT INTO " + deployments_ + " VALUES " + values); }

  Outcome run(std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), {"--database", url_});
    arguments.insert(arguments.end(), options_.begin(), options_.end());
    return run_deployd(arguments, {{"DEPLOYD_JWT_SECRET", jwt_secret}});
  }

  std::string const& url() const noexcept { return url_; }
  std::string const& patterns() const noexcept { return patterns_; }
  std::string const& deployments() const noexcept { return deployments_; }
  std::vector<std::string> serve_options() const {
    auto options = options_;
    options.insert(options.end(), {"--admin-listen", "127.0.0.1:0", "--workers", "1"});
    return options;
  }

 private:
  TemporaryDirectory directory_;
  std::string url_;
  std::string patterns_;
  std::string deployments_;
  std::vector<std::string> options_;
};

/// A server of such tables, and who may ask it.
struct Served {
  explicit Served(ForeignTables const& tables)
      : server(tables.url(), tables.serve_options(), {{"DEPLOYD_JWT_SECRET", jwt_secret}}) {
    auto const token = run_deployd({"token", "sign", "--subject", "jane"}, {{"DEPLOYD_JWT_SECRET", jwt_secret}}).out;
    line = bearer(token.substr(0, token.find('\n')));
  }

  HttpAnswer get(std::string const& target) const { return server.ask(request("GET", target, line)); }

  /// The bodies of a list read in pages, without the brackets between them.
  std::string pages(std::string target) const {
    std::string rows;
    for (int pages = 0; pages < 100; ++pages) {
      auto const got = get(target);
      if (got.status != 200) return "status " + std::to_string(got.status);
      auto const page = got.body.substr(1, got.body.size() - 2);
      if (!rows.empty() && !page.empty()) rows += ',';
      rows += page;
      if (!got.has("Link")) return '[' + rows + ']';
      auto const link = got["Link"];
      target = link.substr(1, link.find('>') - 1);
    }
    return "pages without end";
  }

  double left_out(std::string const& table, std::string const& column) {
    return Metrics::of(
        admin_port(server))["deployd_store_rows_left_out_total{table=\"" + table + "\",column=\"" + column + "\"}"];
  }

  RunningDeployd server;
  std::string line;
};

std::string row(int id, int pattern_id, std::string const& name) {
  return "{\"id\":" + std::to_string(id) + ",\"pattern_id\":" + std::to_string(pattern_id) + ",\"name\":" + name + "}";
}

std::size_t lines_with(std::string const& text, std::string const& part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++count;
  return count;
}

/// A kind of table, and its rows that cannot be deployments besides those with NULL.
struct Case {
  StoreKind kind;
  std::array<std::string, 4> types;
  std::vector<std::string> bad_rows;
};

std::vector<Case> cases() {
  std::vector<Case> all;
  for (std::string const type : {"smallint", "integer", "bigint"})
    all.push_back({StoreKind::postgresql, {type, type, type, "text"}, {}});
  all.push_back({StoreKind::postgresql,
                 {"numeric", "numeric", "numeric", "varchar(20)"},
                 {"(3.5, 1, 'half')", "('NaN', 1, 'nan')", "(1e30, 1, 'large')", "(9223372036854775808, 1, 'next')",
                  "(6, 1.5, 'half pattern')", "(7, 'NaN', 'nan pattern')"}});
  all.push_back({StoreKind::postgresql,
                 {"bigint", "numeric(20,2)", "integer", "char(12)"},
                 {"(3.5, 1, 'half')", "(99999999999999999, NULL, 'x')"}});
  for (std::string const type : {"", "NUMERIC", "INTEGER"})
    all.push_back({StoreKind::sqlite,
                   {type, type, type, type.empty() ? "" : "TEXT"},
                   {"(3.5, 1, 'half')", "('abc', 1, 'text')", "(x'00', 1, 'blob')", "(9223372036854775808, 1, 'next')",
                    "(6, 'abc', 'text pattern')", "(7, 1.5, 'half pattern')"}});
  return all;
}

}  // namespace

TEST_CASE("rows that cannot be a deployment are left out of every answer, and the others served", "[foreign_rows]") {
  auto const all = cases();
  auto const& [kind, types, bad_rows] = all[GENERATE_COPY(range(std::size_t{0}, all.size()))];
  CAPTURE(kind, types[1]);
  ForeignTables const tables(kind, types);
  tables.add_patterns("(1, 'A'), (2, 'B'), (NULL, 'N')");
  tables.add_deployments(
      "(4, 2, 'four'), (1, 1, 'one'), (NULL, 1, 'no id'), (2, NULL, 'no pattern'), (3, 1, NULL), "
      "(NULL, NULL, NULL), (0, NULL, 'zero'), (8, 1, '')");
  for (auto const& bad : bad_rows) tables.add_deployments(bad);
  Served served(tables);
  auto const one = row(1, 1, "\"one\"");
  auto const three = row(3, 1, "null");
  auto const four = row(4, 2, "\"four\"");
  auto const eight = row(8, 1, "\"\"");
  auto const whole = '[' + one + ',' + three + ',' + four + ',' + eight + ']';

  CHECK(served.get(list).body == whole);
  CHECK(served.get(list + "/3").body == three);
  for (auto const* const id : {"0", "2", "5", "6", "7"}) {
    CAPTURE(id);
    CHECK(served.get(list + '/' + id).status == 404);
  }
  CHECK(served.get(list + "?pattern_id=0").body == "[]");
  CHECK(served.get(list + "?pattern_id=1").body == '[' + one + ',' + three + ',' + eight + ']');
  CHECK(served.get(list + "?pattern=A").body == '[' + one + ',' + three + ',' + eight + ']');
  CHECK(served.get(list + "?pattern=B&name=four").body == '[' + four + ']');
  CHECK(served.get(list + "?pattern=N").status == 404);
  CHECK(served.get(list + "?name=no+pattern").body == "[]");
  CHECK(served.get(list + "?name=").body == '[' + eight + ']');
  CHECK(served.get(list + "?id[$gt]=3").body == '[' + four + ',' + eight + ']');
  CHECK(served.get(list + "?$limit=0").body == "[]");
  CHECK(served.get("/api/v1/patterns").body == R"([{"id":1,"name":"A"},{"id":2,"name":"B"}])");
  CHECK(served.get("/api/v1/patterns?name=N").body == "[]");
  CHECK(served.get("/api/v1/patterns/2").body == R"({"id":2,"name":"B"})");
  CHECK(served.get(list + "?$limit=4").body == whole);
  CHECK_FALSE(served.get(list + "?$limit=4").has("Link"));
  CHECK(served.get(list + "?$skip=1&$limit=2").body == '[' + three + ',' + four + ']');
  CHECK(served.get(list + "?$skip=4").body == "[]");
  for (auto const* const limit : {"1", "2", "3"}) CHECK(served.pages(list + "?$limit=" + limit) == whole);
  CHECK(served.pages(list + "?pattern=A&$limit=1") == '[' + one + ',' + three + ',' + eight + ']');
  auto const tag = served.get(list)["ETag"];
  CHECK(served.server.ask(request("GET", list, served.line + "If-None-Match: " + tag + "\r\n")).status == 304);
}

TEST_CASE("rows that are left out are counted, and named in the log once for each column", "[foreign_rows]") {
  auto const kind = GENERATE(StoreKind::sqlite, StoreKind::postgresql);
  ForeignTables const tables(kind, kind == StoreKind::sqlite
                                       ? std::array<std::string, 4>{"", "", "", ""}
                                       : std::array<std::string, 4>{"int", "numeric", "int", "text"});
  tables.add_patterns("(1, 'A'), (NULL, 'N')");
  tables.add_deployments("(1, 1, 'one'), (2, NULL, 'no pattern'), (2.5, 1, 'half')");
  Served served(tables);
  CHECK(served.left_out("deployments", "id") == 0);
  // Answers that differ, so that none comes from the cache.
  CHECK(served.get(list + "?id[$gt]=0").status == 200);
  CHECK(served.get(list + "?id[$gt]=1").status == 200);
  CHECK(served.get(list + "/2").status == 404);
  CHECK(served.get(list + "?pattern=N").status == 404);
  CHECK(served.left_out("deployments", "id") == 2);
  CHECK(served.left_out("deployments", "pattern_id") == 3);
  CHECK(served.left_out("patterns", "id") == 1);
  served.server.process().signal(SIGTERM);
  auto const log = served.server.process().wait().err;
  CAPTURE(log);
  CHECK(lines_with(log, tables.deployments() + ": id of a row is '2.5'") == 1);
  CHECK(lines_with(log, tables.deployments() + ": pattern_id of the row with id 2 is NULL") == 1);
  CHECK(lines_with(log, tables.patterns() + ": id of a row is NULL") == 1);
}

TEST_CASE("rows of a SQLite table whose id is NULL are counted and named at the start", "[foreign_rows]") {
  ForeignTables const tables(StoreKind::sqlite, {"", "", "", ""});
  tables.add_patterns("(1, 'A')");
  tables.add_deployments("(1, 1, 'one'), (NULL, 1, 'no id')");
  Served served(tables);
  CHECK(served.left_out("deployments", "id") == 1);
  served.server.process().signal(SIGTERM);
  CHECK(lines_with(served.server.process().wait().err, tables.deployments() + ": id of a row is NULL") == 1);
}

TEST_CASE("a long list that is read through a cursor leaves out what cannot be a deployment as well",
          "[foreign_rows]") {
  auto const kind = GENERATE(StoreKind::sqlite, StoreKind::postgresql);
  ForeignTables const tables(kind, kind == StoreKind::sqlite
                                       ? std::array<std::string, 4>{"", "", "", ""}
                                       : std::array<std::string, 4>{"int", "numeric", "numeric", "text"});
  tables.add_patterns("(1, 'A')");
  // Every third row has no pattern, every fourth a half id; 3,000 at the beginning have none at all.
  tables.write(
      "INSERT INTO " + tables.deployments() +
      " WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000) "
      "SELECT CASE WHEN i % 4 = 0 THEN i + 0.5 ELSE i END, CASE WHEN i % 3 = 0 OR i <= 3000 THEN NULL ELSE 1 END, "
      "'d' || i FROM n");
  std::string want;
  std::vector<int> ids;
  for (int i = 3001; i <= 60000; ++i) {
    if (i % 4 == 0 || i % 3 == 0) continue;
    want += (want.empty() ? '[' : ',') + row(i, 1, "\"d" + std::to_string(i) + '"');
    ids.push_back(i);
  }
  want += ']';
  Served served(tables);
  CHECK(served.get(list).body == want);
  CHECK(served.get(list + "?pattern=A").body == want);
  // Further down than is passed over at once, and with more behind.
  auto const at = [&](std::size_t position) {
    auto const id = ids[position];
    return row(id, 1, "\"d" + std::to_string(id) + '"');
  };
  auto const page = served.get(list + "?$skip=20000&$limit=2");
  CHECK(page.body == '[' + at(20000) + ',' + at(20001) + ']');
  CHECK(page["Link"].find("id%5B$gt%5D=" + std::to_string(ids[20001])) != std::string::npos);
  CHECK(served.get(list + "?$limit=2").body == '[' + at(0) + ',' + at(1) + ']');
  CHECK(served.get(list + "?$skip=1&$limit=1").body == '[' + at(1) + ']');
  auto const large = served.get(list + "?$limit=20000");
  CHECK(large.body.ends_with(at(19999) + ']'));
  CHECK(large["Link"].find("id%5B$gt%5D=" + std::to_string(ids[19999])) != std::string::npos);

  auto const exported = tables.run({"export"});
  CHECK(exported.status == 0);
  CHECK(exported.out == R"({"patterns":[{"id":1,"name":"A"}],"deployments":)" + want + "}\n");
  auto const left_out = std::to_string(60000 - ids.size());
  CHECK(exported.err.find(left_out + " rows are left out of the export") != std::string::npos);
}

TEST_CASE("an export has null for a name that is NULL, and leaves out what the answers leave out", "[foreign_rows]") {
  auto const all = cases();
  auto const& [kind, types, bad_rows] = all[GENERATE_COPY(range(std::size_t{0}, all.size()))];
  CAPTURE(kind, types[1]);
  ForeignTables const tables(kind, types);
  tables.add_patterns("(1, NULL), (2, 'B'), (NULL, 'N')");
  tables.add_deployments("(1, 1, NULL), (2, NULL, 'no pattern'), (NULL, 1, 'no id'), (3, 2, 'three')");
  for (auto const& bad : bad_rows) tables.add_deployments(bad);
  auto const exported = tables.run({"export"});
  CHECK(exported.status == 0);
  CHECK(exported.out == R"({"patterns":[{"id":1,"name":null},{"id":2,"name":"B"}],"deployments":[)" +
                            row(1, 1, "null") + ',' + row(3, 2, "\"three\"") + "]}\n");
  CHECK(exported.err.find(tables.patterns() + ": 1 row is left out of the export") != std::string::npos);
}

TEST_CASE("an id that is there twice is served where one of the rows can be a deployment", "[foreign_rows]") {
  auto const kind = GENERATE(StoreKind::sqlite, StoreKind::postgresql);
  ForeignTables const tables(kind, kind == StoreKind::sqlite ? std::array<std::string, 4>{"", "", "", ""}
                                                             : std::array<std::string, 4>{"int", "int", "int", "text"});
  tables.add_patterns("(NULL, 'A'), (1, 'A'), (NULL, 'A')");
  tables.add_deployments("(1, NULL, 'no'), (1, 1, 'yes'), (1, NULL, 'no')");
  Served const served(tables);
  CHECK(served.get(list + "/1").body == row(1, 1, "\"yes\""));
  CHECK(served.get(list).body == '[' + row(1, 1, "\"yes\"") + ']');
  CHECK(served.get(list + "?pattern=A").body == '[' + row(1, 1, "\"yes\"") + ']');
}

TEST_CASE("names of any type are given as text and found by it", "[foreign_rows]") {
  auto const [type, value] = GENERATE(std::pair("uuid", "0188b1a2-0000-7000-8000-000000000001"), std::pair("int", "42"),
                                      std::pair("numeric", "4.50"), std::pair("varchar", "a b"),
                                      std::pair("char(9)", "ab"), std::pair("jsonb", "{\"a\": 1}"));
  CAPTURE(type);
  ForeignTables const tables(StoreKind::postgresql, {"int", "int", "int", type});
  tables.add_patterns("(1, '" + std::string(value) + "')");
  tables.add_deployments("(1, 1, '" + std::string(value) + "')");
  Served const served(tables);
  std::string encoded;
  for (char const c : std::string_view(value)) {
    char escape[4];
    std::snprintf(escape, sizeof escape, "%%%02X", static_cast<unsigned>(c));
    encoded += escape;
  }
  auto const whole = served.get(list).body;
  CHECK(whole.find("\"id\":1") != std::string::npos);
  CHECK(served.get(list + "?name=" + encoded).body == whole);
  CHECK(served.get(list + "?pattern=" + encoded).body == whole);
  CHECK(served.get(list + "?name=zzz").body == "[]");
}

TEST_CASE("a table whose ids are no numbers is refused by name, in serve, check and export", "[foreign_rows]") {
  struct Refused {
    StoreKind kind;
    std::array<std::string, 4> types;
    std::string culprit;
  };
  auto const& [kind, types, culprit] = GENERATE(
      Refused{StoreKind::postgresql, {"int", "text", "int", "text"}, "relation d: the column id is of type text"},
      Refused{
          StoreKind::postgresql, {"int", "int", "uuid", "text"}, "relation d: the column pattern_id is of type uuid"},
      Refused{StoreKind::postgresql,
              {"varchar(9)", "int", "int", "text"},
              "relation p: the column id is of type character"},
      Refused{StoreKind::postgresql, {"int", "float8", "int", "text"}, "relation d: the column id is of type double"},
      Refused{StoreKind::sqlite,
              {"INTEGER", "TEXT", "INTEGER", "TEXT"},
              "the table deployments has the column id of type TEXT"},
      Refused{StoreKind::sqlite,
              {"varchar(5)", "INT", "INT", "TEXT"},
              "the table patterns has the column id of type varchar(5)"},
      Refused{StoreKind::sqlite,
              {"INT", "INT", "REAL", "TEXT"},
              "the table deployments has the column pattern_id of type REAL"});
  ForeignTables const tables(kind, types);
  std::vector<std::vector<std::string>> const commands{{"check"}, {"export"}, {"serve", "--listen", "127.0.0.1:0"}};
  for (auto const& command : commands) {
    auto const outcome = tables.run(command);
    CAPTURE(command.front(), outcome.err);
    CHECK(outcome.status == 69);
    CHECK(outcome.out.empty());
    CHECK(lines_with(outcome.err, "\n") == 1);
    CHECK(outcome.err.find(culprit) != std::string::npos);
  }
}

TEST_CASE("a text id can be served through a view, whatever some of the texts are", "[foreign_rows]") {
  ForeignTables const tables(StoreKind::postgresql, {"int", "int", "int", "text"});
  tables.write("CREATE TABLE t (id text, pattern_id int, name text)");
  tables.write("INSERT INTO t VALUES ('1', 1, 'one'), ('abc', 1, 'x'), ('', 1, 'y'), ('20', 1, 'twenty')");
  tables.write("DROP TABLE d");
  tables.write(
      "CREATE VIEW d AS SELECT CASE WHEN id ~ '^[0-9]{1,18}$' THEN id::bigint END AS id, pattern_id, name FROM t");
  Served const served(tables);
  CHECK(served.get(list).body == '[' + row(1, 1, "\"one\"") + ',' + row(20, 1, "\"twenty\"") + ']');
  CHECK(served.get(list + "/20").status == 200);
}

TEST_CASE("check counts what other programs have put there", "[foreign_rows]") {
  auto const kind = GENERATE(StoreKind::sqlite, StoreKind::postgresql);
  ForeignTables const tables(kind, kind == StoreKind::sqlite
                                       ? std::array<std::string, 4>{"", "", "", ""}
                                       : std::array<std::string, 4>{"int", "numeric", "int", "text"});
  tables.add_patterns("(1, 'A'), (2, NULL), (3, 'B'), (4, 'B')");
  tables.add_deployments("(1, 1, 'a'), (2, 4, 'b')");
  auto const expect = [&](std::vector<std::string> const& parts) {
    auto const outcome = tables.run({"check"});
    CAPTURE(outcome.err, outcome.out);
    CHECK(outcome.status == 0);
    for (auto const& part : parts) {
      CAPTURE(part);
      CHECK(outcome.out.find(part) != std::string::npos);
    }
    CHECK(outcome.out.find("but some of its rows are not good") != std::string::npos);
    return outcome;
  };
  auto const& p = tables.patterns();
  auto const& d = tables.deployments();
  expect({p + ": 1 row has NULL as name, such as id 2", p + ": 1 name is there more than once, such as that of id 3"});
  tables.add_deployments(
      "(1, 1, 'again'), (1, 1, 'and again'), (3.5, 1, 'half'), (5, NULL, 'x'), (6, 9, 'no pattern'), "
      "(7, 1, NULL), (8, 1, NULL)");
  expect({d + ": 1 row has no integer of 64 bits in id, such as '3.5'", "they are left out",
          d + ": 1 row has no integer of 64 bits in pattern_id, such as id 5",
          d + ": 2 rows have NULL as name, such as id 7", d + ": 1 id is there more than once, such as 1",
          d + ": 1 row has a pattern_id that no pattern has, such as id 6"});
}

TEST_CASE("check finds nothing wrong with deployd's own tables, and names in SQLite that are not UTF-8",
          "[foreign_rows]") {
  FilledStore const store(GENERATE(StoreKind::sqlite, StoreKind::postgresql));
  auto const check = [&] {
    return run_deployd({"check", "--database", store.url()}, {{"DEPLOYD_JWT_SECRET", jwt_secret}});
  };
  CHECK(check().out.ends_with(" can be served.\n"));
  CHECK(check().err.empty());
  if (store.kind() == StoreKind::postgresql) return;
  *storage::open_session(*storage::parse_database_url(store.url()), storage::Access::write)
      << "UPDATE deployments SET name = CAST(x'FF' AS TEXT) WHERE id = 1";
  CHECK(check().out.find("1 row has a name that is not UTF-8, such as id 1") != std::string::npos);
}

TEST_CASE("rows that a relation cannot give at all are named by check", "[foreign_rows]") {
  ForeignTables const tables(StoreKind::postgresql, {"int", "int", "int", "text"});
  tables.write("CREATE TABLE t (id text, pattern_id int, name text)");
  tables.write("INSERT INTO t VALUES ('1', 1, 'one'), ('abc', 1, 'x')");
  tables.write("DROP TABLE d");
  tables.write("CREATE VIEW d AS SELECT id::bigint, pattern_id, name FROM t");
  auto const outcome = tables.run({"check"});
  CAPTURE(outcome.err);
  CHECK(outcome.status == 69);
  CHECK(outcome.err.find("relation d: its rows cannot be read") != std::string::npos);
  CHECK(outcome.err.find("\"abc\"") != std::string::npos);
}
