// Imports into every store: what is there afterwards, and what is not.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <chrono>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include "storage/error.hpp"
#include "storage/session/session.hpp"
#include "storage/transfer/export.hpp"
#include "storage/transfer/import.hpp"
#include "tests/storage/collected_rows.hpp"
#include "tests/storage/store_under_test.hpp"

namespace deployd::storage {
namespace {

Kind every_kind() {
  return GENERATE(Kind::sqlite, Kind::postgresql);
}

std::string exported(DatabaseUrl const& url) {
  std::ostringstream out;
  export_all(url, {}, ExportFormat::ndjson, ExportTables::both, out);
  return out.str();
}

/// Calls the observer a few times a second.
ImportResult import_texts(DatabaseUrl const& url, std::vector<std::string> const& texts,
                          ImportObserver const& observer = {}, ImportOptions const& options = {}) {
  std::vector<std::istringstream> streams;
  for (auto const& text : texts) streams.emplace_back(text);
  std::vector<ImportSource> sources;
  for (std::size_t i = 0; i < texts.size(); ++i)
    sources.push_back({"file" + std::to_string(i + 1), &streams[i], texts[i].size()});
  auto last = std::chrono::steady_clock::now();
  return import(url, {}, sources, options, [&](ImportProgress const& progress) {
    auto const now = std::chrono::steady_clock::now();
    bool const too_early = progress.phase == ImportProgress::Phase::rows && now - last < std::chrono::milliseconds(250);
    if (!observer || too_early) return;
    last = now;
    observer(progress);
  });
}

/// The line that an import of `texts` is refused with; empty when it is not.
std::string refusal_of(DatabaseUrl const& url, std::vector<std::string> const& texts,
                       ImportOptions const& options = {}) {
  try {
    import_texts(url, texts, {}, options);
    return "";
  } catch (Error const& error) {
    CHECK(error.code() == errc::bad_input);
    return error.what();
  }
}

std::string pattern(std::int64_t id, std::string const& name) {
  return R"({"pattern":{"id":)" + std::to_string(id) + R"(,"name":")" + name + "\"}}\n";
}

std::string deployment(std::int64_t id, std::int64_t pattern_id, std::string const& name) {
  return R"({"deployment":{"id":)" + std::to_string(id) + R"(,"pattern_id":)" + std::to_string(pattern_id) +
         R"(,"name":")" + name + "\"}}\n";
}

TEST_CASE("an import makes the schema and fills the store, and says how much it read") {
  StoreUnderTest under_test(every_kind());
  std::vector<ImportProgress> seen;
  auto const done =
      import_texts(under_test.options.url,
                   {R"({"patterns":[{"id":1,"name":"A"}],"deployments":[{"id":3,"pattern_id":1,"name":"x"}]})",
                    deployment(4, 2, "y") + pattern(2, "")},
                   [&](ImportProgress const& progress) { seen.push_back(progress); });
  CHECK(exported(under_test.options.url) ==
        pattern(1, "A") + pattern(2, "") + deployment(3, 1, "x") + deployment(4, 2, "y"));
  CHECK(done.read.patterns == 2);
  CHECK(done.read.deployments == 2);
  CHECK(done.read.bytes_read == done.read.bytes_total);
  REQUIRE(seen.size() >= 2);
  CHECK(seen.back().phase == ImportProgress::Phase::commit);
}

TEST_CASE("an import makes the schema of a SQLite store that is not there yet") {
  TemporaryDirectory const directory;
  SqliteUrl const url{directory.file("new.db")};
  import_texts(url, {pattern(1, "A")});
  CHECK(exported(url) == pattern(1, "A"));
}

TEST_CASE("a file that is no import is named before a store is made for it") {
  TemporaryDirectory const directory;
  SqliteUrl const url{directory.file("new.db")};
  struct Case {
    std::string text, line;
  };
  auto const c = GENERATE(values<Case>({
      {"\x1F\x8B\x08", "file2: the gzip data ends too early; the file is not complete"},
      {"BZh91AY", "file2: compressed with bzip2; try: bzip2 -dc file2 | deployd import -"},
      {"id,name\n1\n", "file2:2:1: 1 field instead of 2, which the header line has"},
      {"{\n  \"pattern\": {\n    \"id\": 1,\n    \"name\": \"A\"\n  }\n}\n",
       "file2:2: the row continues on the next line, but NDJSON has one row on each line, as `jq -c .` writes it"},
      {"hello",
       "file2:1:1: \"hello\" is neither JSON nor the header line of CSV, which must be \"id,name\" for patterns, or "
       "\"id,pattern_id,name\" or \"id,pattern,name\" for deployments"},
      {"{\"pattern\":", "file2:1: the text ends in the middle of the JSON"},
  }));
  CHECK(refusal_of(url, {pattern(1, "A"), c.text}) == c.line);
  CHECK(!std::filesystem::exists(url.path));
}

TEST_CASE("rows with a known id are updated, others stay") {
  StoreUnderTest under_test(every_kind());
  auto const& url = under_test.options.url;
  under_test.fill(2);
  import_texts(url, {deployment(20, 1, "renamed") + deployment(15, 3, "new") + pattern(2, "BETTER")});
  CHECK(exported(url) == pattern(1, "ALPHA") + pattern(2, "BETTER") + pattern(3, "EMPTY") + deployment(10, 1, "d1") +
                             deployment(15, 3, "new") + deployment(20, 1, "renamed"));
}

TEST_CASE("of rows with the same id the last counts, in one file or in several") {
  StoreUnderTest under_test(every_kind());
  auto const& url = under_test.options.url;
  import_texts(url, {pattern(1, "A") + pattern(1, "B") + deployment(5, 1, "old") + deployment(4, 1, "four") +
                         deployment(5, 1, "new"),
                     deployment(4, 1, "last") + pattern(1, "C")});
  CHECK(exported(url) == pattern(1, "C") + deployment(4, 1, "last") + deployment(5, 1, "new"));
}

TEST_CASE("a pattern that CSV names is the one with that name at the end of the import") {
  StoreUnderTest under_test(every_kind());
  auto const& url = under_test.options.url;
  under_test.fill(0);  // ALPHA, BETA, EMPTY
  std::string const named = "id,pattern,name\n1,ALPHA,a\n2,BETA,b\n3,NEW,c\n";
  auto const files = GENERATE_REF(std::vector<std::string>{named, "id,name\n1,BETA\n2,ALPHA\n4,NEW\n"},
                                  std::vector<std::string>{"id,name\n1,BETA\n2,ALPHA\n4,NEW\n", named});
  import_texts(url, files);
  CHECK(exported(url) == pattern(1, "BETA") + pattern(2, "ALPHA") + pattern(3, "EMPTY") + pattern(4, "NEW") +
                             deployment(1, 2, "a") + deployment(2, 1, "b") + deployment(3, 4, "c"));
}

TEST_CASE("of deployments with the same id the last counts, whether their patterns are named or not") {
  StoreUnderTest under_test(every_kind());
  auto const& url = under_test.options.url;
  import_texts(url, {pattern(1, "A") + pattern(2, "B") + deployment(5, 1, "id") + deployment(6, 1, "id"),
                     "id,pattern,name\n5,B,named\n7,B,named\n8,A,named\n8,B,twice\n", deployment(7, 1, "last")});
  CHECK(exported(url) == pattern(1, "A") + pattern(2, "B") + deployment(5, 2, "named") + deployment(6, 1, "id") +
                             deployment(7, 1, "last") + deployment(8, 2, "twice"));
}

TEST_CASE("patterns swap their names, and pass them on in a ring") {
  StoreUnderTest under_test(every_kind());
  auto const& url = under_test.options.url;
  under_test.fill(2);
  import_texts(url, {pattern(1, "BETA") + pattern(2, "ALPHA")});
  CHECK(exported(url).starts_with(pattern(1, "BETA") + pattern(2, "ALPHA") + pattern(3, "EMPTY")));
  import_texts(url, {pattern(1, "ALPHA") + pattern(2, "EMPTY") + pattern(3, "BETA")});
  CHECK(exported(url) == pattern(1, "ALPHA") + pattern(2, "EMPTY") + pattern(3, "BETA") + deployment(10, 1, "d1") +
                             deployment(20, 2, "d2"));
}

/// CSV of a deployment of this pattern.
std::string deployments_of(std::int64_t pattern_id) {
  return "id,pattern_id,name\n1," + std::to_string(pattern_id) + ",x\n";
}

struct Refused {
  char const* what;
  std::vector<std::string> texts;
  std::string line;
};

TEST_CASE("a bad line names itself, and nothing is changed") {
  StoreUnderTest under_test(every_kind());
  auto const& url = under_test.options.url;
  under_test.fill(3);
  auto const before = exported(url);
  std::string const good = pattern(7, "SEVEN") + pattern(1, "OTHER") + deployment(70, 7, "x") + deployment(10, 7, "y");
  std::vector<Refused> const cases{
      {"bad JSON in the last line", {good + "{"}, "file1:5: the text ends in the middle of the JSON"},
      {"a bad row in the last line",
       {good + R"({"deployment":{"id":1}})"},
       R"(file1:5: deployment 1: no "pattern_id")"},
      {"in another file", {good, pattern(8, "H") + "x"}, "file2:2: not JSON (RFC 8259): syntax error"},
      {"no such pattern", {good + deployment(71, 99, "x") + good}, "file1:5: deployment 71: there is no pattern 99"},
      {"no such pattern, in the second file",
       {good, deployment(71, 99, "x")},
       "file2:1: deployment 71: there is no pattern 99"},
      {"no such pattern, though a later row with the id has one",
       {deployment(71, 99, "x") + deployment(71, 1, "x")},
       "file1:1: deployment 71: there is no pattern 99"},
      {"the first of several",
       {good + deployment(72, 98, "x") + deployment(71, 97, "x") + deployment(70, 98, "x")},
       "file1:5: deployment 72: there is no pattern 98"},
      {"a name taken in the store",
       {good + pattern(8, "BETA")},
       "file1:5: pattern 8: the name \"BETA\" is taken by pattern 2"},
      {"a name taken in the import",
       {good + pattern(8, "SEVEN")},
       "file1:5: pattern 8: the name \"SEVEN\" is taken by pattern 7"},
      {"a name taken by a pattern that gets it",
       {pattern(8, "NEW") + good + pattern(2, "NEW")},
       "file1:6: pattern 2: the name \"NEW\" is taken by pattern 8"},
      {"no pattern of that name",
       {good, "id,pattern,name\n71,BETA,x\n72,NONE,x\n73,NOT,x\n"},
       "file2:3: deployment 72: there is no pattern \"NONE\", neither in the store nor in the files"},
      {"no pattern of that name any more",
       {pattern(2, "OTHER"), "id,pattern,name\n71,BETA,x\n"},
       "file2:2: deployment 71: there is no pattern \"BETA\", neither in the store nor in the files"},
      {"no pattern of that name, in front of no such pattern",
       {"id,pattern,name\n71,NONE,x\n" + deployments_of(99)},
       "file1:2: deployment 71: there is no pattern \"NONE\", neither in the store nor in the files"},
      {"no such pattern, in front of no pattern of that name",
       {deployments_of(99) + "id,pattern,name\n71,NONE,x\n"},
       "file1:2: deployment 1: there is no pattern 99"},
      {"broken CSV", {good, "id,name\n8,\"H\n"}, "file2:2:3: the quotation mark that opens here is not closed"},
      {"the same name again, quoted",
       {pattern(8, "a\\\"b\\n") + pattern(9, "a\\\"b\\n")},
       R"(file1:2: pattern 9: the name "a\"b\n" is taken by pattern 8)"},
  };
  for (auto const& [what, texts, line] : cases) {
    CAPTURE(what);
    CHECK(refusal_of(url, texts) == line);
    CHECK(exported(url) == before);
  }
}

/// Many rows, enough for several batches and for indexes to be dropped and made again; `other` stands for the
/// deployment `id`.
std::string many_rows_with(int count, int id, std::string const& other) {
  std::string text;
  for (int i = 1; i <= 100; ++i) text += pattern(i, "P" + std::to_string(i));
  for (int i = 1; i <= count; ++i)
    text += i == id ? other : deployment(i, 1 + i % 100, "name " + std::to_string(i * std::int64_t{7919} % count));
  return text;
}

std::string many_rows(int count) {
  return many_rows_with(count, 0, "");
}

TEST_CASE("a large import is read whole, and so is a second that changes some of it") {
  StoreUnderTest under_test(every_kind());
  auto const& url = under_test.options.url;
  auto const text = many_rows(230'000);
  import_texts(url, {text});
  CHECK(exported(url) == text);
  import_texts(url, {text, deployment(5, 7, "changed"), deployment(230'001, 1, "new")});
  CHECK(exported(url) == many_rows_with(230'000, 5, deployment(5, 7, "changed")) + deployment(230'001, 1, "new"));
}

TEST_CASE("a large import of CSV is read whole, with ids of patterns or their names") {
  StoreUnderTest under_test(every_kind());
  auto const& url = under_test.options.url;
  bool const by_name = GENERATE(false, true);
  std::string text = "id,name\n";
  for (int i = 1; i <= 100; ++i) text += std::to_string(i) + ",P" + std::to_string(i) + '\n';
  text += by_name ? "id,pattern,name\n" : "id,pattern_id,name\n";
  for (int i = 1; i <= 230'000; ++i)
    text += std::to_string(i) + (by_name ? ",P" : ",") + std::to_string(1 + i % 100) + ",name " +
            std::to_string(i * std::int64_t{7919} % 230'000) + '\n';
  import_texts(url, {text});
  CHECK(exported(url) == many_rows(230'000));
}

TEST_CASE("a large import that fails in its last line changes nothing") {
  StoreUnderTest under_test(every_kind());
  auto const& url = under_test.options.url;
  under_test.fill(3);
  auto const before = exported(url);
  CHECK(refusal_of(url, {many_rows(230'000) + deployment(1, 1'000, "x")}) ==
        "file1:230101: deployment 1: there is no pattern 1000");
  CHECK(exported(url) == before);
}

TEST_CASE("the indexes of SQLite are there again after an import that made them anew") {
  StoreUnderTest under_test(Kind::sqlite);
  auto const indexes = [&] {
    std::ostringstream out;
    auto const session = open_session(under_test.options.url, Access::read);
    soci::rowset<std::string> const rows =
        (session->prepare << "SELECT sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL ORDER BY name");
    for (auto const& sql : rows) out << sql << '\n';
    return out.str();
  };
  auto const before = indexes();
  CHECK_FALSE(before.empty());
  import_texts(under_test.options.url, {many_rows(30'000)});
  CHECK(indexes() == before);
  std::string faults;
  *open_session(under_test.options.url, Access::read) << "PRAGMA integrity_check", soci::into(faults);
  CHECK(faults == "ok");
}

/// The names of the indexes of PostgreSQL's table of deployments.
std::string postgresql_indexes(DatabaseUrl const& url) {
  std::string names;
  *open_session(url, Access::read) << "SELECT string_agg(indexname, ' ' ORDER BY indexname) FROM pg_indexes "
                                      "WHERE schemaname = 'deployd' AND tablename = 'deployments'",
      soci::into(names);
  return names;
}

constexpr char const* all_indexes =
    "deployments_by_name deployments_by_pattern deployments_by_pattern_and_name deployments_pkey";

/// Changes when one of them is dropped and created again.
std::string oids_of_postgresql_indexes(DatabaseUrl const& url) {
  std::string oids;
  *open_session(url, Access::read) << "SELECT string_agg(indexrelid::text, ' ' ORDER BY indexrelid) FROM pg_index "
                                      "WHERE indrelid = 'deployd.deployments'::regclass",
      soci::into(oids);
  return oids;
}

TEST_CASE("the indexes of PostgreSQL are there again after a large first import, and after one that failed") {
  StoreUnderTest under_test(Kind::postgresql);
  auto const& url = under_test.options.url;
  CHECK(postgresql_indexes(url) == all_indexes);
  auto const before = oids_of_postgresql_indexes(url);
  CHECK_FALSE(refusal_of(url, {many_rows(230'000) + deployment(1, 1'000, "x")}).empty());
  CHECK(exported(url).empty());
  CHECK(postgresql_indexes(url) == all_indexes);
  auto const rebuilt = oids_of_postgresql_indexes(url);
  CHECK(rebuilt != before);
  import_texts(url, {many_rows(230'000)});
  CHECK(postgresql_indexes(url) == all_indexes);
  CHECK(oids_of_postgresql_indexes(url) != rebuilt);
}

TEST_CASE("indexes that PostgreSQL lacks since an import was killed are made by the next one") {
  StoreUnderTest under_test(Kind::postgresql);
  auto const& url = under_test.options.url;
  under_test.write("DROP INDEX deployments_by_name, deployments_by_pattern");
  import_texts(url, {pattern(1, "A")});
  CHECK(postgresql_indexes(url) == all_indexes);
}

TEST_CASE("indexes of a PostgreSQL table with rows stay through a large import") {
  StoreUnderTest under_test(Kind::postgresql);
  auto const& url = under_test.options.url;
  under_test.fill(1);
  import_texts(url, {many_rows(230'000)},
               [&](ImportProgress const&) { CHECK(postgresql_indexes(url) == all_indexes); });
}

TEST_CASE("readers go on while an import runs, and see all of it or nothing") {
  StoreUnderTest under_test(every_kind());
  auto const& url = under_test.options.url;
  under_test.fill(3);
  auto const before = exported(url);
  int looks = 0;
  import_texts(url, {many_rows(230'000)}, [&](ImportProgress const&) {
    ++looks;
    CHECK(exported(url) == before);
  });
  CHECK(looks >= 2);
  CHECK(exported(url) != before);
}

TEST_CASE("the data version of a serving store moves with an import") {
  StoreUnderTest under_test(Kind::sqlite);
  under_test.fill(3);
  auto const before = under_test.store().data_version();
  import_texts(under_test.options.url, {pattern(9, "NINE")});
  CHECK(under_test.wait_for_new_version(before, std::chrono::seconds(1)));
}

TEST_CASE("the write-ahead log is emptied after an import, and after one that failed") {
  StoreUnderTest under_test(Kind::sqlite);
  auto const& url = under_test.options.url;
  auto const log = std::get<SqliteUrl>(url).path + "-wal";
  CollectedRows rows;  // keeps the store open, so that closing the import's session does not remove the log
  under_test.ask(under_test.store().list({}, 1, rows)).value();
  import_texts(url, {many_rows(30'000)});
  CHECK(std::filesystem::file_size(log) == 0);
  CHECK_FALSE(refusal_of(url, {many_rows(60'000) + "x"}).empty());
  CHECK(std::filesystem::file_size(log) == 0);
}

constexpr ImportOptions replacing{.replace = true};
constexpr ImportOptions rehearsing{.dry_run = true};
constexpr ImportOptions rehearsing_to_replace{.replace = true, .dry_run = true};

/// `p ADDED UPDATED UNCHANGED DELETED d ...`
std::string in_words(ImportChanges const& changes) {
  std::ostringstream out;
  for (auto const& [table, rows] : {std::pair("p", changes.patterns), std::pair(" d", changes.deployments)})
    out << table << ' ' << rows.added << ' ' << rows.updated << ' ' << rows.unchanged << ' ' << rows.deleted;
  return out.str();
}

/// An import and what it changes of `fill(3)`: patterns 1 ALPHA, 2 BETA, 3 EMPTY, deployments 10 d1, 20 d2, 30 d0 of
/// 1, 2, 1.
struct Change {
  char const* what;
  std::vector<std::string> texts;
  std::string counts;
  std::string left;
};

TEST_CASE("with replace a store has what the import has and nothing else") {
  StoreUnderTest under_test(every_kind());
  auto const& url = under_test.options.url;
  under_test.fill(3);
  auto const c = GENERATE(values<Change>({
      {"other rows, one kept, one changed",
       {pattern(2, "BETA") + pattern(4, "ALPHA") + deployment(20, 2, "d2") + deployment(30, 4, "x") +
        deployment(40, 4, "y")},
       "p 1 0 1 2 d 1 1 1 1",
       pattern(2, "BETA") + pattern(4, "ALPHA") + deployment(20, 2, "d2") + deployment(30, 4, "x") +
           deployment(40, 4, "y")},
      {"names swapped, rows repeated",
       {pattern(1, "X") + deployment(10, 1, "d1") + pattern(1, "BETA") + pattern(2, "ALPHA") + deployment(10, 1, "z") +
        deployment(10, 1, "d1")},
       "p 0 2 0 1 d 0 0 1 2",
       pattern(1, "BETA") + pattern(2, "ALPHA") + deployment(10, 1, "d1")},
      {"patterns behind deployments, in CSV",
       {"id,pattern,name\n10,ALPHA,d1\n50,NEW,x\n", "id,name\n1,ALPHA\n5,NEW\n"},
       "p 1 0 1 2 d 1 0 1 2",
       pattern(1, "ALPHA") + pattern(5, "NEW") + deployment(10, 1, "d1") + deployment(50, 5, "x")},
      {"the same as before",
       {pattern(1, "ALPHA") + pattern(2, "BETA") + pattern(3, "EMPTY") + deployment(10, 1, "d1") +
        deployment(20, 2, "d2") + deployment(30, 1, "d0")},
       "p 0 0 3 0 d 0 0 3 0",
       pattern(1, "ALPHA") + pattern(2, "BETA") + pattern(3, "EMPTY") + deployment(10, 1, "d1") +
           deployment(20, 2, "d2") + deployment(30, 1, "d0")},
      {"no deployments, which NDJSON need not say", {pattern(1, "ALPHA")}, "p 0 0 1 2 d 0 0 0 3", pattern(1, "ALPHA")},
      {"nothing, said in JSON", {R"({"patterns":[],"deployments":[]})"}, "p 0 0 0 3 d 0 0 0 3", ""},
      {"nothing, said in CSV", {"id,name\n", "id,pattern_id,name\n"}, "p 0 0 0 3 d 0 0 0 3", ""},
  }));
  CAPTURE(c.what);
  auto const before = exported(url);
  CHECK(in_words(import_texts(url, c.texts, {}, rehearsing_to_replace).changes) == c.counts);
  CHECK(exported(url) == before);
  CHECK(in_words(import_texts(url, c.texts, {}, replacing).changes) == c.counts);
  CHECK(exported(url) == c.left);
}

TEST_CASE("a replacement that is refused changes nothing") {
  StoreUnderTest under_test(every_kind());
  auto const& url = under_test.options.url;
  under_test.fill(3);
  auto const before = exported(url);
  std::vector<Refused> const cases{
      {"nothing",
       {""},
       "--replace: there are no deployments in the input, and all 3 in the store would be deleted; if that is meant, "
       "add a CSV file with the header line \"id,pattern_id,name\""},
      {"CSV of patterns alone",
       {"id,name\n1,ALPHA\n"},
       "--replace: there are no deployments in the input, and all 3 in the store would be deleted; if that is meant, "
       "add a CSV file with the header line \"id,pattern_id,name\""},
      {"CSV of deployments alone",
       {"id,pattern_id,name\n10,1,d1\n"},
       "--replace: there are deployments but no patterns in the input; import both, patterns for example from a CSV "
       "file with the header line \"id,name\""},
      {"CSV with the header of deployments alone",
       {"id,pattern_id,name\n"},
       "--replace: there are no patterns in the input, and all 3 in the store would be deleted; if that is meant, add "
       "a CSV file with the header line \"id,name\""},
      {"a pattern that only the store has",
       {pattern(1, "ALPHA") + deployment(10, 1, "d1") + deployment(20, 2, "d2")},
       "file1:3: deployment 20: there is no pattern 2"},
      {"a name that only the store has",
       {"id,name\n1,ALPHA\nid,pattern,name\n20,BETA,d2\n"},
       "file1:4: deployment 20: there is no pattern \"BETA\", neither in the store nor in the files"},
      {"a name twice",
       {pattern(1, "ALPHA") + pattern(4, "ALPHA")},
       "file1:2: pattern 4: the name \"ALPHA\" is taken by pattern 1"},
  };
  for (auto const& [what, texts, line] : cases) {
    CAPTURE(what);
    CHECK(refusal_of(url, texts, replacing) == line);
    CHECK(exported(url) == before);
  }
}

TEST_CASE("an empty replacement of an empty store is no mistake") {
  StoreUnderTest under_test(every_kind());
  CHECK(refusal_of(under_test.options.url, {""}, replacing).empty());
}

TEST_CASE("a dry run says what would change, and changes nothing") {
  StoreUnderTest under_test(every_kind());
  auto const& url = under_test.options.url;
  under_test.fill(3);
  auto const before = exported(url);
  auto const rows = pattern(1, "ALPHA") + pattern(2, "OTHER") + pattern(4, "NEW") + deployment(10, 1, "d1") +
                    deployment(20, 4, "d2") + deployment(50, 4, "x") + deployment(60, 4, "y");
  CHECK(in_words(import_texts(url, {rows}, {}, rehearsing).changes) == "p 1 1 1 0 d 2 1 1 0");
  CHECK(refusal_of(url, {rows + "x"}, rehearsing) == "file1:8: not JSON (RFC 8259): syntax error");
  CHECK(exported(url) == before);
}

TEST_CASE("a dry run without a store makes none") {
  TemporaryDirectory const directory;
  SqliteUrl const url{directory.file("new.db")};
  CHECK(in_words(import_texts(url, {pattern(1, "A") + deployment(1, 1, "x")}, {}, rehearsing).changes) ==
        "p 1 0 0 0 d 1 0 0 0");
  CHECK(!std::filesystem::exists(url.path));
}

TEST_CASE("a dry run is refused where no store could be made") {
  TemporaryDirectory const directory;
  SqliteUrl const url{directory.file("none/new.db")};
  CHECK_THROWS_AS(import_texts(url, {pattern(1, "A")}, {}, rehearsing), Error);
  CHECK(!std::filesystem::exists(directory.file("none")));
}

TEST_CASE("readers go on while a large store is replaced, and see all of it or nothing") {
  StoreUnderTest under_test(every_kind());
  auto const& url = under_test.options.url;
  under_test.fill(30'000);
  auto const before = exported(url);
  int looks = 0;
  auto const text = many_rows(230'000);
  auto const done = import_texts(
      url, {text},
      [&](ImportProgress const&) {
        ++looks;
        CHECK(exported(url) == before);
      },
      replacing);
  CHECK(looks >= 2);
  CHECK(exported(url) == text);
  CHECK(done.changes.deployments.updated + done.changes.deployments.deleted + done.changes.deployments.unchanged ==
        30'000);
}

TEST_CASE("nothing is imported into other programs' relations") {
  StoreUnderTest under_test(every_kind());
  std::istringstream stream(pattern(1, "A"));
  try {
    import(under_test.options.url, {"a", "b"}, {{ "-", &stream }}, {}, [](ImportProgress const&){});
    FAIL("imported");
  } catch (Error const& error) {
    CHECK(error.code() == errc::bad_input);
    CHECK(std::string_view(error.what()).find("--patterns-relation") != std::string_view::npos);
  }
}

TEST_CASE("PostgreSQL takes no name that it could not index, and the line is named") {
  StoreUnderTest under_test(Kind::postgresql);
  auto const& url = under_test.options.url;
  CHECK(refusal_of(url, {pattern(1, "A") + deployment(1, 1, std::string(3000, 'x'))})
            .starts_with("file1:2: deployment 1: the name is longer than"));
  import_texts(url, {pattern(1, std::string(2600, 'x')) + deployment(1, 1, std::string(2600, 'y'))});
}

TEST_CASE("an import waits for another writer, but not forever") {
  StoreUnderTest under_test(every_kind());
  auto const& url = under_test.options.url;
  auto const other = open_session(url, Access::write);
  *other << (std::holds_alternative<SqliteUrl>(url) ? "BEGIN IMMEDIATE" : "BEGIN");
  *other << (std::holds_alternative<SqliteUrl>(url) ? "INSERT INTO patterns VALUES (1, 'A')"
                                                    : "INSERT INTO deployd.patterns VALUES (1, 'A')");
  try {
    import_texts(url, {pattern(2, "B")});
    FAIL("imported");
  } catch (Error const& error) {
    CHECK(error.code() == errc::busy);
  }
  *other << "COMMIT";
  import_texts(url, {pattern(2, "B")});
  CHECK(exported(url) == pattern(1, "A") + pattern(2, "B"));
}

}  // namespace
}  // namespace deployd::storage
