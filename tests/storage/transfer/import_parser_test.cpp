// Which texts are imports, and what is said of those that are not.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include "storage/transfer/import_parser.hpp"
#include "storage/transfer/import_target.hpp"

namespace deployd::storage {
namespace {

/// The rows as they came, in words: `p LINE ID NAME` and `d LINE ID PATTERN_ID NAME`.
class Written final : public ImportRows {
 public:
  void add(ImportRow const& row) override {
    auto line = (row.is_pattern() ? "p " : "d ") + std::to_string(row.place.line) + ' ' + std::to_string(row.id) + ' ';
    if (row.pattern_id) line += std::to_string(*row.pattern_id) + ' ';
    if (row.pattern) line += '"' + std::string(*row.pattern) + "\" ";
    rows.push_back(line + std::string(row.name));
  }

  std::vector<std::string> rows;
};

std::vector<std::string> parse(std::string_view text, std::size_t piece) {
  Written written;
  ImportParser parser(7, written);
  for (std::size_t at = 0; at < text.size(); at += piece) parser.read(text.substr(at, piece));
  parser.finish();
  return written.rows;
}

using Rows = std::vector<std::string>;

struct GoodText {
  char const* what;
  std::string text;
  Rows rows;
};

TEST_CASE("an import is read, whatever pieces it comes in") {
  auto const good = GENERATE(values<GoodText>({
      {"JSON",
       R"({"patterns":[{"id":1,"name":"A"}],"deployments":[{"id":2,"pattern_id":1,"name":"x"}]})"
       "\n",
       {"p 1 1 A", "d 1 2 1 x"}},
      {"members in another order",
       R"({"deployments":[{"name":"x","pattern_id":1,"id":2}],"patterns":[{"name":"A","id":1}]})",
       {"d 1 2 1 x", "p 1 1 A"}},
      {"only patterns", R"({"patterns":[{"id":1,"name":"A"}]})", {"p 1 1 A"}},
      {"only deployments", R"({"deployments":[]})", {}},
      {"JSON over lines",
       "\n{\n \"patterns\" : [\r\n\t{\n\"id\":1,\n\"name\":\"A\"\n},\n{\"id\":2,\"name\":\"B\"}]\n}\n\n",
       {"p 4 1 A", "p 8 2 B"}},
      {"NDJSON",
       "{\"pattern\":{\"id\":1,\"name\":\"A\"}}\n{\"deployment\":{\"id\":2,\"pattern_id\":1,\"name\":\"x\"}}\n",
       {"p 1 1 A", "d 2 2 1 x"}},
      {"NDJSON without a last newline, with blank lines and carriage returns",
       "\r\n{\"pattern\":{\"id\":1,\"name\":\"A\"}}\r\n\n \t\n { \"pattern\" : { \"id\" : 2 , \"name\" : \"B\" } } ",
       {"p 2 1 A", "p 5 2 B"}},
      {"a byte order mark", "\xEF\xBB\xBF{\"pattern\":{\"id\":1,\"name\":\"A\"}}", {"p 1 1 A"}},
      {"nothing", "", {}},
      {"a byte order mark alone", "\xEF\xBB\xBF", {}},
      {"blanks", " \n\r\n", {}},
      {"the ends of the ids",
       R"({"deployments":[{"id":-9223372036854775808,"pattern_id":9223372036854775807,"name":""}]})",
       {"d 1 -9223372036854775808 9223372036854775807 "}},
      {"escapes and UTF-8",
       R"({"pattern":{"id":1,"\u006eame":"\"\\\/\b\u00e9\ud83d\ude00ü)"
       "\xF0\x9F\x98\x80\"}}",
       {"p 1 1 \"\\/\b\xC3\xA9\xF0\x9F\x98\x80\xC3\xBC\xF0\x9F\x98\x80"}},
  }));
  CAPTURE(good.what);
  for (std::size_t const piece : {std::size_t{1}, std::size_t{2}, std::size_t{7}, std::size_t{1000}}) {
    CAPTURE(piece);
    CHECK(parse(good.text, piece) == good.rows);
  }
}

TEST_CASE("CSV is read, whatever pieces it comes in") {
  auto const good = GENERATE(values<GoodText>({
      {"patterns", "id,name\n1,A\n2,B\n", {"p 2 1 A", "p 3 2 B"}},
      {"deployments", "id,pattern_id,name\n2,1,x\n", {"d 2 2 1 x"}},
      {"deployments whose pattern is named", "id,pattern,name\n2,A B,x\n", {"d 2 2 \"A B\" x"}},
      {"columns in another order", "name,id,pattern_id\nx,2,1\n", {"d 2 2 1 x"}},
      {"semicolons", "id;name\n1;a,b\tc\n", {"p 2 1 a,b\tc"}},
      {"tabs", "id\tname\n1\ta,b;c\n", {"p 2 1 a,b;c"}},
      {"a byte order mark, CRLF and no end of the last line",
       "\xEF\xBB\xBFid,name\r\n1,A\r\n2,B",
       {"p 2 1 A", "p 3 2 B"}},
      {"CR", "id,name\r1,A\r2,B\r", {"p 2 1 A", "p 3 2 B"}},
      {"quotes, the header too", "\"id\",\"name\"\n\"1\",\"A\"\n", {"p 2 1 A"}},
      {"upper case in the header", "ID,Pattern_ID,NAME\n2,1,x\n", {"d 2 2 1 x"}},
      {"separators and doubled quotes in quotes",
       "id,name\n1,\"a,\"\"b\"\"\"\n2,\"\"\"\"\n",
       {"p 2 1 a,\"b\"", "p 3 2 \""}},
      {"line breaks in quotes", "id,name\n1,\"a\r\nb\nc\"\n2,B\n", {"p 2 1 a\r\nb\nc", "p 5 2 B"}},
      {"blanks in a field", "id,name\n1, a b \n2,\" c \"\n", {"p 2 1  a b ", "p 3 2  c "}},
      {"empty lines", "\n \r\nid,name\n\n\r\n1,A\n\n", {"p 6 1 A"}},
      {"an empty name", "id,name\n1,\n2,\"\"\n", {"p 2 1 ", "p 3 2 "}},
      {"a header alone", "id,name\n", {}},
      {"a header without the end of its line", "id,pattern,name", {}},
      {"the ends of the ids",
       "id,pattern_id,name\n-9223372036854775808,9223372036854775807,x",
       {"d 2 -9223372036854775808 9223372036854775807 x"}},
      {"another table", "id,name\n1,A\n\nid,pattern_id,name\n2,1,x\n3,1,y\n", {"p 2 1 A", "d 5 2 1 x", "d 6 3 1 y"}},
      {"two files with a byte order mark, joined",
       "\xEF\xBB\xBFid,name\r\n1,A\r\n\xEF\xBB\xBFid,pattern,name\r\n2,A,x\r\n",
       {"p 2 1 A", "d 4 2 \"A\" x"}},
      {"what a spreadsheet makes of it", "id,name,\n1,A,\n,,\nid,pattern,name\n2,A,x\n", {"p 2 1 A", "d 5 2 \"A\" x"}},
      {"characters outside of ASCII", "id,name\n1,\xC3\xA9\xF0\x9F\x98\x80\n", {"p 2 1 \xC3\xA9\xF0\x9F\x98\x80"}},
      {"what a spreadsheet could take for a formula",
       "id,name\n1,=1+1\n2,+x\n3,-x\n4,@x\n",
       {"p 2 1 =1+1", "p 3 2 +x", "p 4 3 -x", "p 5 4 @x"}},
  }));
  CAPTURE(good.what);
  for (std::size_t const piece : {std::size_t{1}, std::size_t{2}, std::size_t{7}, std::size_t{1000}}) {
    CAPTURE(piece);
    CHECK(parse(good.text, piece) == good.rows);
  }
}

struct BadCsv {
  std::string text;
  std::uint64_t line, column;
  std::string reason;  // or a part of it
};

TEST_CASE("broken CSV is refused with line, column and reason, whatever pieces it comes in") {
  constexpr auto headers = R"("id,name" for patterns, or "id,pattern_id,name" or "id,pattern,name" for deployments)";
  auto const bad = GENERATE_COPY(values<BadCsv>({
      // What is no header line.
      {"hello", 1, 1, R"("hello" is neither JSON nor the header line of CSV, which must be )" + std::string(headers)},
      {"1,A\n", 1, 1, R"("1,A" is neither JSON nor the header line of CSV)"},
      {"\n\n7", 3, 1, R"("7" is neither JSON)"},
      {"null\n", 1, 1, R"("null" is neither JSON)"},
      {"\xEF\xBB{}", 1, 1, "is neither JSON"},
      {"\xEF\xBB", 1, 1, "is neither JSON"},
      {std::string(100, 'x'), 1, 1, '"' + std::string(60, 'x') + "...\" is neither JSON"},
      {std::string(5000, 'x') + ",name\n", 1, 1, "is neither JSON"},
      {"id\n1\n", 1, 1, R"("id" is neither JSON)"},
      {"id,title\n", 1, 4, R"(unknown column "title"; the header line must be )" + std::string(headers)},
      {"id,name,colour\n", 1, 9, R"(unknown column "colour")"},
      {"id, name\n", 1, 4, R"(unknown column " name")"},
      {"id,pattern_id\n", 1, 1, R"(no column "name"; the header line must be )"},
      {"name,pattern\n", 1, 1, R"(no column "id")"},
      {"id,name,id\n", 1, 9, R"(a second column "id")"},
      {"id,pattern,pattern_id,name\n", 1, 1, R"(both a column "pattern_id" and a column "pattern")"},
      {"id,,name\n", 1, 5, R"(column "name" follows a column without a name)"},
      {"id,name" + std::string(20, ',') + "\n", 1, 1, "too many columns"},
      {"id,name\n1,A\nid,title\n", 3, 1, R"(column id: "id" is not an integer of 64 bits)"},
      // Quotes.
      {"id,name\n1,A\n2,\"abc\n3,C\n", 3, 3, "the quotation mark that opens here is not closed"},
      {"id,name\n1,ab\"c\n", 2, 5, "a quotation mark in a field that is not quoted"},
      {"id,name\n1,\"a\nb\"c\n", 3, 3, "text after the closing quotation mark of a field"},
      {"id,name\n1,\xC3\xA9\"c\n", 2, 4, "a quotation mark in a field that is not quoted"},
      {"id,\"name\n", 1, 4, "the quotation mark that opens here is not closed"},
      // Rows.
      {"id,name\n1,A\n2\n", 3, 1, "1 field instead of 2, which the header line has"},
      {"id,name\n1,A,B\n", 2, 5, "3 fields instead of 2, which the header line has"},
      {"id,name\n1,A,\n", 2, 5, "3 fields instead of 2"},
      {"id,name,\n1,A,B\n", 2, 5, R"("B" in a column without a name)"},
      {"id,name\n1;A\n", 2, 1, "1 field instead of 2"},
      // Fields.
      {"id,name\n,A\n", 2, 1, "column id: is empty, and not an integer of 64 bits"},
      {"id,name\n\"\",\"\"\n", 2, 1, "column id: is empty"},
      {"id,name\n01,A\n", 2, 1, R"(column id: "01" is not an integer of 64 bits)"},
      {"id,name\n+1,A\n", 2, 1, "is not an integer"},
      {"id,name\n 1,A\n", 2, 1, "is not an integer"},
      {"id,name\n1.0,A\n", 2, 1, "is not an integer"},
      {"id,name\n1e3,A\n", 2, 1, "is not an integer"},
      {"id,name\n0x1,A\n", 2, 1, "is not an integer"},
      {"id,name\n-,A\n", 2, 1, "is not an integer"},
      {"id,name\n9223372036854775808,A\n", 2, 1, "is not an integer"},
      {"id,name\n-9223372036854775809,A\n", 2, 1, "is not an integer"},
      {"id,pattern_id,name\n1,\"a\nb\",x\n", 2, 3, R"(column pattern_id: "a\nb" is not an integer of 64 bits)"},
      {"name,pattern_id,id\n\"x\ny\",1,z\n", 3, 6, R"(column id: "z" is not an integer of 64 bits)"},
      {"id,name\n1,a\xE9\n", 2, 3, "column name: \"a\xEF\xBF\xBD\" is not UTF-8; save the file as \"CSV UTF-8\""},
      {"id,pattern,name\n1,\xE9,x\n", 2, 3, "column pattern: "},
      {"id,name\n1,a" + std::string(1, '\0') + "\n", 2, 3, "column name: holds U+0000"},
      {"id,name\n1," + std::string((1 << 20) + 1, 'x'), 2, 3, "a field of more than 1 MiB"},
      {"id,name\n1,\"" + std::string(1 << 22, '\n'), 2, 3, "a field of more than 1 MiB; is its quotation mark closed?"},
  }));
  CAPTURE(bad.text.substr(0, 200));
  for (std::size_t const piece : {std::size_t{1}, std::size_t{5}, std::size_t{65'536}}) {
    CAPTURE(piece);
    try {
      parse(bad.text, piece);
      FAIL_CHECK("not refused");
    } catch (BadRow const& refused) {
      CHECK(refused.place() == RowPlace{7, bad.line, bad.column});
      std::string const reason = refused.what();
      CAPTURE(reason, bad.reason);
      CHECK(reason.find(bad.reason) != reason.npos);
      CHECK(reason.find('\n') == reason.npos);
    }
  }
}

TEST_CASE("a parser knows of which tables a text speaks, be it without rows") {
  struct Case {
    std::string text;
    bool patterns, deployments;
  };
  auto const c = GENERATE(values<Case>({
      {"", false, false},
      {"\n", false, false},
      {"id,name\n", true, false},
      {"id,pattern,name\n", false, true},
      {"id,pattern_id,name\n1,1,x\nid,name\n", true, true},
      {R"({"patterns":[]})", true, true},
      {R"({"pattern":{"id":1,"name":"A"}})", true, true},
  }));
  CAPTURE(c.text);
  Written written;
  ImportParser parser(0, written);
  parser.read(c.text);
  parser.finish();
  CHECK(parser.tables().patterns == c.patterns);
  CHECK(parser.tables().deployments == c.deployments);
}

struct BadText {
  std::string text;
  std::uint64_t line;
  std::string reason;  // or a part of it
};

TEST_CASE("what is no import is refused with its line and the reason, whatever pieces it comes in") {
  std::string const p = R"({"pattern":{"id":1,"name":"A"}})";
  std::string const json = R"({"patterns":[{"id":1,"name":"A"}],)";
  auto const bad = GENERATE_COPY(values<BadText>({
      // What is not JSON.
      {p + "\n" + R"({"pattern":{"id":2,"name":"B"})" + "\n" + p, 2, "one row on each line, as `jq -c .` writes it"},
      {"{\n  \"pattern\": {\n    \"id\": 1,\n    \"name\": \"A\"\n  }\n}\n", 2, "the row continues on the next line"},
      {p + "\n" + R"({"pattern":{"id":2,"na)", 2, "the text ends in the middle of the JSON"},
      {R"({"patterns":[{"id":1,"name":"A"}],"deploy)", 1, "the text ends in the middle of the JSON (behind pattern 1)"},
      {"{\n\"patterns\":[\n", 3, "the text ends in the middle of the JSON"},
      {R"({"patterns":[{"id":1,"name":"A"},]})", 1, "syntax error"},
      {"{\"patterns\":[]} // rows", 1, "there is more after the end of the JSON"},
      {"{\"patterns\":[]}\n{\"deployments\":[]}", 2, "there is more after the end of the JSON"},
      {p + p, 1, "more than one JSON value in the line"},
      {p + "\n" + p + " x\n", 2, "more than one JSON value in the line"},
      {"{\"pattern\":{\"id\":1,\"name\":\"\xFF\"}}", 1, "not JSON"},
      {"{\"pattern\":{\"id\":1,\"name\":\"\xED\xA0\x80\"}}", 1, "not JSON"},
      {"{\"pattern\":{\"id\":1,\"name\":\"a\tb\"}}", 1, "not JSON"},
      {R"({"pattern":{"id":1,"name":"\ud800"}})", 1, "not JSON"},
      {"{\"pattern\":{\"id\":1,\"name\":\"a\nb\"}}", 1, "not JSON"},
      {R"({"pattern":{"id":01,"name":"A"}})", 1, "not JSON"},
      {R"({"pattern":{"id":+1,"name":"A"}})", 1, "not JSON"},
      {R"({"pattern":{"id":NaN,"name":"A"}})", 1, "not JSON"},
      {R"({'pattern':{"id":1,"name":"A"}})", 1, "not JSON"},
      {std::string("{\"patterns\":[]}\0", 16), 1, "there is more after the end"},
      // What is JSON of another shape.
      {"[]", 1, "an array instead of an object"},
      {"{}", 1, R"(neither "patterns" nor "deployments")"},
      {p + "\n{}", 2, R"(neither "pattern" nor "deployment")"},
      {p + "\n[]", 2, "an array instead of an object"},
      {R"({"rows":[]})", 1, R"(unknown member "rows")"},
      {json + R"("rows":[]})", 1, R"(unknown member "rows" (behind pattern 1))"},
      {json + R"("patterns":[]})", 1, R"(a second "patterns")"},
      {json + R"("pattern":{}})", 1, R"(unknown member "pattern")"},
      {p + "\n" + R"({"patterns":[]})", 2, R"(unknown member "patterns")"},
      {R"({"pattern":{"id":1,"name":"A"},"deployment":{}})", 1, "more than one row in a line"},
      {R"({"patterns":{}})", 1, R"("patterns" is an object and not an array)"},
      {R"({"patterns":null})", 1, R"("patterns" is null and not an array)"},
      {R"({"pattern":[]})", 1, R"("pattern" is an array and not an object)"},
      {R"({"pattern":"A"})", 1, R"("pattern" is a string and not an object)"},
      {R"({"patterns":[1]})", 1, "a pattern is a number and not an object"},
      {R"({"deployments":[[]]})", 1, "a deployment is an array and not an object"},
      {"{\"\\n\":1}", 1, R"(unknown member "\n")"},
      // Rows with other members, or with members of other types.
      {R"({"pattern":{}})", 1, R"(pattern: no "id")"},
      {R"({"pattern":{"id":1}})", 1, R"(pattern 1: no "name")"},
      {R"({"deployment":{"id":1,"name":"x"}})", 1, R"(deployment 1: no "pattern_id")"},
      {"{\"patterns\":[\n\n{\n\"id\":5\n\n}\n]}", 3, R"(pattern 5: no "name")"},
      {R"({"pattern":{"id":1,"name":"A","extra":1}})", 1, R"(pattern 1: unknown member "extra")"},
      {R"({"pattern":{"id":1,"name":"A","pattern_id":1}})", 1, R"(pattern 1: unknown member "pattern_id")"},
      {R"({"pattern":{"id":1,"id":1,"name":"A"}})", 1, R"(pattern 1: a second "id")"},
      {R"({"pattern":{"id":1,"name":"A","name":"A"}})", 1, R"(pattern 1: a second "name")"},
      {R"({"deployment":{"id":1,"pattern_id":1,"pattern_id":1,"name":"A"}})", 1, R"(a second "pattern_id")"},
      {R"({"pattern":{"id":"1","name":"A"}})", 1, R"(pattern: "id" is a string and not an integer of 64 bits)"},
      {R"({"pattern":{"id":1.0,"name":"A"}})", 1, R"(pattern: "id" is not an integer of 64 bits)"},
      {R"({"pattern":{"id":1e3,"name":"A"}})", 1, R"(pattern: "id" is not an integer of 64 bits)"},
      {R"({"pattern":{"id":9223372036854775808,"name":"A"}})", 1, R"("id" is not an integer of 64 bits)"},
      {R"({"pattern":{"id":-9223372036854775809,"name":"A"}})", 1, R"("id" is not an integer of 64 bits)"},
      {R"({"pattern":{"id":1e999,"name":"A"}})", 1, R"("id" is not an integer of 64 bits)"},
      {R"({"pattern":{"id":null,"name":"A"}})", 1, R"("id" is null and not an integer of 64 bits)"},
      {R"({"pattern":{"id":true,"name":"A"}})", 1, R"("id" is a truth value and not an integer of 64 bits)"},
      {R"({"deployment":{"id":1,"pattern_id":{},"name":"x"}})", 1, R"("pattern_id" is an object)"},
      {R"({"pattern":{"id":1,"name":7}})", 1, R"(pattern 1: "name" is a number and not a string)"},
      {R"({"pattern":{"id":1,"name":7.5}})", 1, R"(pattern 1: "name" is a number and not a string)"},
      {R"({"pattern":{"id":1,"name":["A"]}})", 1, R"(pattern 1: "name" is an array and not a string)"},
      {R"({"pattern":{"id":1,"name":"A\u0000"}})", 1, R"(pattern 1: "name" holds U+0000)"},
      {R"({"pattern":{"id":1,"name":")" + std::string((1 << 20) + 1, 'x') + "\"}}", 1, "a name of more than 1 MiB"},
      {p + "\n" + p + "\n\n" + R"({"pattern":{"id":"x"}})" + "\n" + p, 4, R"("id" is a string)"},
  }));
  CAPTURE(bad.text.substr(0, 200));
  for (std::size_t const piece : {std::size_t{1}, std::size_t{5}, std::size_t{2'000'000}}) {
    CAPTURE(piece);
    try {
      parse(bad.text, piece);
      FAIL_CHECK("not refused");
    } catch (BadRow const& refused) {
      CHECK(refused.place() == RowPlace{7, bad.line});
      std::string const reason = refused.what();
      CAPTURE(reason, bad.reason);
      CHECK(reason.find(bad.reason) != reason.npos);
      CHECK(reason.find('\n') == reason.npos);
    }
  }
}

TEST_CASE("a name may have a mebibyte") {
  std::string const name(1 << 20, 'x');
  CHECK(parse("id,name\n1," + name + '\n', 4096) == Rows{"p 2 1 " + name});
  CHECK(parse(R"({"pattern":{"id":1,"name":")" + name + "\"}}", 4096) == Rows{"p 1 1 " + name});
}

}  // namespace
}  // namespace deployd::storage
