// Queries: each is a filter or an error with a message, and the next page of a filter reads as that filter again.
#include <cstdint>
#include <string_view>

#include "routing/query.hpp"
#include "routing/target.hpp"
#include "tests/fuzz/expect.hpp"

namespace routing = deployd::routing;
using deployd::tests::expect;

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::string_view const text(reinterpret_cast<char const*>(data), size);
  auto const filter = routing::read_filter(text);
  if (!filter) {
    expect(!filter.error().message.empty(), "an error says why");
    return 0;
  }

  auto const next = routing::next_page(*filter, 7);
  auto const target = routing::split_target(next);
  expect(target && target->query, "the next page is a target with a query");
  auto const next_filter = routing::read_filter(*target->query);
  expect(next_filter.has_value(), "the query of the next page is a filter");
  expect(next_filter->pattern == filter->pattern, "the next page has the same pattern");
  expect(next_filter->pattern_id == filter->pattern_id, "the next page has the same pattern_id");
  expect(next_filter->name == filter->name, "the next page has the same name");
  expect(next_filter->limit == filter->limit, "the next page has the same limit");
  expect(next_filter->id_greater_than == 7, "the next page begins behind the last row");
  return 0;
}
