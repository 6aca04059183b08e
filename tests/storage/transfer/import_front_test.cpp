// Files that are no import: what they are said to be.
#include "storage/transfer/import_front.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <string>

namespace deployd::storage {
namespace {

using namespace std::string_literals;

TEST_CASE("a file that is no import is named, with the command or line that makes one of it") {
  struct Case {
    std::string front, name, wanted;
  };
  auto const c = GENERATE(values<Case>({
      {"BZh91AY", "a b.bz2", "compressed with bzip2; try: bzip2 -dc 'a b.bz2' | deployd import -"},
      {"BZh91AY", "-", "compressed with bzip2; try: bzip2 -dc | deployd import -"},
      {"\xFD"
       "7zXZ\0\0"s,
       "it's", "compressed with xz; try: xz -dc 'it'\\''s' | deployd import -"},
      {"BZh91AY", "-x", "compressed with bzip2; try: bzip2 -dc ./-x | deployd import -"},
      {"\x04\x22\x4D\x18"s, "a\nb", "compressed with lz4; try: lz4 -dc FILE | deployd import -"},
      {"PK\x03\x04", "a.zip", "a zip archive; try: unzip -p a.zip | deployd import -"},
      {"SQLite format 3\0\x10"s, "a.db",
       "a SQLite database; try: deployd export --database sqlite:a.db | deployd import -"},
      {"\xFF\xFE{\0\"\0"s, "f", "UTF-16 and not UTF-8; try: iconv -f UTF-16LE -t UTF-8 f | deployd import -"},
      {"\xFE\xFF\0{\0\""s, "f", "UTF-16 and not UTF-8; try: iconv -f UTF-16BE -t UTF-8 f | deployd import -"},
      {"{\0\"\0"s, "f", "UTF-16 and not UTF-8; try: iconv -f UTF-16LE -t UTF-8 f | deployd import -"},
      {"\0{\0\""s, "f", "UTF-16 and not UTF-8; try: iconv -f UTF-16BE -t UTF-8 f | deployd import -"},
      {"\xFF\xFE\0\0{\0\0\0"s, "f", "UTF-32 and not UTF-8; try: iconv -f UTF-32LE -t UTF-8 f | deployd import -"},
      {"\0\0\xFE\xFF\0\0\0{"s, "f", "UTF-32 and not UTF-8; try: iconv -f UTF-32BE -t UTF-8 f | deployd import -"},
      {"{\0\0\0\"\0\0\0"s, "f", "UTF-32 and not UTF-8; try: iconv -f UTF-32LE -t UTF-8 f | deployd import -"},
      {"\0\0\0{\0\0\0\""s, "f", "UTF-32 and not UTF-8; try: iconv -f UTF-32BE -t UTF-8 f | deployd import -"},
      {R"( [ {"id":1,"name":"A"}])", "f",
       R"(an array of rows without the name of what they are; try: (printf '{"patterns":'; cat f; printf '}') | deployd import -)"},
      {R"([{"id":1,"pattern_id":1,"name":"A"}])", "-",
       R"(an array of rows without the name of what they are; try: (printf '{"deployments":'; cat; printf '}') | deployd import -)"},
      {"\xEF\xBB\xBF[{\"id\":1,\"name\":\"A\"}]", "f",
       "an array of rows without the name of what they are; try: jq '{patterns:.}' f | deployd import -"},
      {R"([{"pattern": {"id":1,"name":"A"}}])", "f", "an array around the rows; try: jq -c '.[]' f | deployd import -"},
      {R"({"id":1,"name":"A"})", "f",
       R"(rows without the name of what they are, as in {"pattern":{"id":1,...}}; try: sed 's/..*/{"pattern":&}/' f | deployd import -)"},
      {R"({"name":"a","pattern_id":1,"id":1})", "f",
       R"(rows without the name of what they are, as in {"deployment":{"id":1,...}}; try: sed 's/..*/{"deployment":&}/' f | deployd import -)"},
      {"{\n  \"id\": 1,\n  \"pattern_id\" : 1,\n  \"name\": \"a\"\n}", "f",
       R"(rows without the name of what they are, as in {"deployment":{"id":1,...}}; try: jq -c '{deployment:.}' f | deployd import -)"},
      {"PK\x03\x04\x14\0\0\0[Content_Types].xml"s, "a.xlsx",
       "a workbook of a spreadsheet program; save its sheets as CSV in UTF-8"},
  }));
  CAPTURE(c.front);
  CHECK(other_format(c.front, {c.name}) == c.wanted);
}

TEST_CASE("the command for a compressed file decompresses it first") {
  struct Case {
    std::string front, wanted;
  };
  auto const c = GENERATE(values<Case>({
      {"\x28\xB5\x2F\xFD\x04", "compressed twice; try: gunzip -c a.gz | zstd -dc | deployd import -"},
      {"{\0\"\0"s, "UTF-16 and not UTF-8; try: gunzip -c a.gz | iconv -f UTF-16LE -t UTF-8 | deployd import -"},
      {R"([{"pattern": {"id":1,"name":"A"}}])",
       "an array around the rows; try: gunzip -c a.gz | jq -c '.[]' | deployd import -"},
      {R"([{"id":1,"name":"A"}])",
       R"(an array of rows without the name of what they are; try: gunzip -c a.gz | (printf '{"patterns":'; cat; printf '}') | deployd import -)"},
      {"SQLite format 3\0\x10"s, "a SQLite database; try: deployd export --database sqlite:FILE | deployd import -"},
  }));
  CAPTURE(c.front);
  CHECK(other_format(c.front, {"a.gz", "gunzip -c"}) == c.wanted);
}

TEST_CASE("what may be an import is left to its parser") {
  auto const front =
      GENERATE(as<std::string>(), "", " \n", "\xEF\xBB\xBF", R"({"pattern":{"id":1,"name":"A"}})",
               R"({"patterns":[{"id":1,"name":"A"}]})", "{", "x", "\xEF\xBB\xBF{\"deployments\":[]}",
               R"({"identity":1})", "hello, world", "1", "\"id\"", "id,name\n1,A\n", std::string(1, '\0'));
  CAPTURE(front);
  CHECK(other_format(front, {"f"}).empty());
}

}  // namespace
}  // namespace deployd::storage
