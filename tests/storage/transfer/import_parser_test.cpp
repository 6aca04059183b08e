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
class Written final : public ImportTarget {
 public:
  void pattern(RowPlace place, std::int64_t id, std::string_view name) override {
    rows.push_back("p " + std::to_string(place.line) + ' ' + std::to_string(id) + ' ' + std::string(name));
  }
  void deployment(RowPlace place, std::int64_t id, std::int64_t pattern_id, std::string_view name) override {
    rows.push_back("d " + std::to_string(place.line) + ' ' + std::to_string(id) + ' ' + std::to_string(pattern_id) +
                   ' ' + std::string(name));
  }
  void check() override {}
  void build_indexes() override {}
  void commit() override {}

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
      {"nonsense", 1, "not JSON (RFC 8259): syntax error"},
      {p + "\n" + R"({"pattern":{"id":2,"name":"B"})" + "\n" + p, 2, "one row on each line, as `jq -c .` writes it"},
      {"{\n  \"pattern\": {\n    \"id\": 1,\n    \"name\": \"A\"\n  }\n}\n", 2, "the row goes on in the next line"},
      {p + "\n" + R"({"pattern":{"id":2,"na)", 2, "the text ends in the middle of the JSON"},
      {R"({"patterns":[{"id":1,"name":"A"}],"deploy)", 1, "the text ends in the middle of the JSON (behind pattern 1)"},
      {"{\n\"patterns\":[\n", 3, "the text ends in the middle of the JSON"},
      {R"({"patterns":[{"id":1,"name":"A"},]})", 1, "syntax error"},
      {"{\"patterns\":[]} // rows", 1, "there is more behind the end of the JSON"},
      {"{\"patterns\":[]}\n{\"deployments\":[]}", 2, "there is more behind the end of the JSON"},
      {p + p, 1, "more than one JSON value in the line"},
      {p + "\n" + p + " x\n", 2, "more than one JSON value in the line"},
      {"{\"pattern\":{\"id\":1,\"name\":\"\xFF\"}}", 1, "not JSON"},
      {"{\"pattern\":{\"id\":1,\"name\":\"\xED\xA0\x80\"}}", 1, "not JSON"},
      {"{\"pattern\":{\"id\":1,\"name\":\"a\tb\"}}", 1, "not JSON"},
      {R"({"pattern":{"id":1,"name":"\ud800"}})", 1, "not JSON"},
      {"{\"pattern\":{\"id\":1,\"name\":\"a\nb\"}}", 1, "not JSON"},
      {"\xEF\xBB{}", 1, "not JSON"},
      {"\xEF\xBB", 1, "not JSON"},
      {R"({"pattern":{"id":01,"name":"A"}})", 1, "not JSON"},
      {R"({"pattern":{"id":+1,"name":"A"}})", 1, "not JSON"},
      {R"({"pattern":{"id":NaN,"name":"A"}})", 1, "not JSON"},
      {R"({'pattern':{"id":1,"name":"A"}})", 1, "not JSON"},
      {std::string("{\"patterns\":[]}\0", 16), 1, "there is more behind the end"},
      // What is JSON of another shape.
      {"[]", 1, "an array instead of an object"},
      {"7", 1, "a number instead of an object"},
      {"\"patterns\"", 1, "a string instead of an object"},
      {"null\n", 1, "null instead of an object"},
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
  CHECK(parse(R"({"pattern":{"id":1,"name":")" + name + "\"}}", 4096) == Rows{"p 1 1 " + name});
}

}  // namespace
}  // namespace deployd::storage
