// Lists of the API as another server may send them.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

#include "storage/transfer/import_format.hpp"

namespace deployd::storage {
namespace {

/// Writes rows as `1:NAME;` (patterns) or `1/2:NAME;` (deployment 1 of pattern 2).
class WrittenRows final : public ImportRows {
 public:
  void add(ImportRow const& row) override {
    text += std::to_string(row.id);
    if (row.pattern_id) text += "/" + std::to_string(*row.pattern_id);
    text += ":" + std::string(row.name) + ";";
  }

  std::string text;
};

/// The rows of `list`, read in pieces of `size` bytes; or why it is refused.
std::string read(std::string_view list, Table table = Table::deployments, std::size_t size = 3) {
  WrittenRows rows;
  auto const reader = make_list_import(table, rows);
  try {
    for (; !list.empty(); list.remove_prefix(std::min(size, list.size()))) reader->read(list.substr(0, size));
    reader->finish();
    return rows.text;
  } catch (BadRow const& refused) {
    return refused.what();
  }
}

TEST_CASE("a list is read whatever the pieces in which it comes") {
  constexpr std::string_view list =
      R"([{"id":1,"pattern_id":7,"name":"a \"quoted\" näme"},
          {"name":"","pattern_id":-9223372036854775808,"id":9223372036854775807}] )";
  for (std::size_t const size : {1U, 2U, 5U, 1000U})
    CHECK(read(list, Table::deployments, size) == "1/7:a \"quoted\" näme;9223372036854775807/-9223372036854775808:;");
  CHECK(read(R"([{"id":1,"name":"A"},{"id":2,"name":"B"}])", Table::patterns) == "1:A;2:B;");
  CHECK(read("[]").empty());
}

TEST_CASE("members that are not known are skipped, whatever they hold") {
  CHECK(read(R"([{"new":{"id":5,"name":["x",{"id":6}]},"id":1,"more":null,"pattern_id":2,"name":"n","list":[[1.5]],
                 "flag":true,"text":"x","number":18446744073709551615}])") == "1/2:n;");
  CHECK(read(R"([{"id":1,"name":"A","pattern_id":"of no meaning here"}])", Table::patterns) == "1:A;");
}

TEST_CASE("what is no list is refused in words that name the record") {
  struct Case {
    std::string list, why;
  };
  auto const c = GENERATE(values<Case>({
      {"", "the text ends in the middle of the JSON"},
      {"<!DOCTYPE html><html></html>", "not JSON (RFC 8259): syntax error"},
      {R"([{"id":1,"pattern_id":2,"name":"a"},)", "the text ends in the middle of the JSON (behind deployment 1)"},
      {"[] []", "there is more after the end of the JSON"},
      {"[],", "there is more after the end of the JSON"},
      {R"({"total":0,"data":[]})", "an object instead of an array of deployments"},
      {R"("text")", "a string instead of an array of deployments"},
      {"null", "null instead of an array of deployments"},
      {"7", "a number instead of an array of deployments"},
      {"[[]]", "a deployment is an array and not an object"},
      {"[7]", "a deployment is a number and not an object"},
      {"[null]", "a deployment is null and not an object"},
      {"[{}]", "a deployment: no \"id\""},
      {R"([{"id":1,"name":"a"}])", "deployment 1: no \"pattern_id\""},
      {R"([{"id":1,"pattern_id":2}])", "deployment 1: no \"name\""},
      {R"([{"id":1,"pattern_id":2,"name":null}])", "deployment 1: \"name\" is null and not a string"},
      {R"([{"id":1,"pattern_id":2,"name":3}])", "deployment 1: \"name\" is a number and not a string"},
      {R"([{"id":1,"pattern_id":2,"name":[]}])", "deployment 1: \"name\" is an array and not a string"},
      {R"([{"id":"1","pattern_id":2,"name":"a"}])", "a deployment: \"id\" is a string and not an integer of 64 bits"},
      {R"([{"id":1.5,"pattern_id":2,"name":"a"}])", "a deployment: \"id\" is not an integer of 64 bits"},
      {R"([{"id":9223372036854775808,"pattern_id":2,"name":"a"}])",
       "a deployment: \"id\" is not an integer of 64 bits"},
      {R"([{"id":1,"pattern_id":99999999999999999999,"name":"a"}])",
       "deployment 1: \"pattern_id\" is not an integer of 64 bits"},
      {R"([{"id":1,"id":1,"pattern_id":2,"name":"a"}])", "deployment 1: a second \"id\""},
      {R"([{"id":1,"pattern_id":2,"name":"a","name":"b"}])", "deployment 1: a second \"name\""},
      {R"([{"id":1,"pattern_id":2,"name":"a\u0000b"}])", "deployment 1: \"name\" holds U+0000, which is not stored"},
      {"[{\"id\":1,\"pattern_id\":2,\"name\":\"\xFF\"}]", "not JSON (RFC 8259): syntax error"},
  }));
  CAPTURE(c.list);
  CHECK(read(c.list) == c.why);
  CHECK(read(c.list, Table::deployments, 1000) == c.why);
}

TEST_CASE("a name of more than 1 MiB, and deep nesting, are refused") {
  CHECK(read(R"([{"id":1,"pattern_id":2,"name":")" + std::string((1 << 20) + 1, 'x') + "\"}]", Table::deployments,
             65536) == "a text of more than 1 MiB");
  CHECK(read(R"([{"new":)" + std::string(100, '['), Table::deployments, 65536).starts_with("not JSON (RFC 8259): "));
}

}  // namespace
}  // namespace deployd::storage
