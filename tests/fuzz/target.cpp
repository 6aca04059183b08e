// Request targets: what is split off lies inside the target, and segments are decoded once.
#include <cstdint>
#include <string_view>

#include "routing/target.hpp"
#include "tests/fuzz/expect.hpp"

using deployd::tests::expect;

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::string_view const text(reinterpret_cast<char const*>(data), size);
  auto const target = deployd::routing::split_target(text);
  if (!target) return 0;
  expect(!target->path.empty() && target->path.front() == '/', "a path begins with a slash");
  expect(target->path.find('?') == std::string_view::npos, "a path ends before the query");

  auto const path = deployd::routing::decode_path(target->path);
  std::size_t decoded = 0;
  for (auto const& segment : path.segments) decoded += segment.size();
  expect(decoded < target->path.size(), "decoding makes nothing longer");
  return 0;
}
