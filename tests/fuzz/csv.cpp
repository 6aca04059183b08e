// Rows of CSV behind each header line and with each separator: rows or a refusal that names line and column, the same
// whatever pieces the text comes in. The first byte of the input selects the header line.
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "tests/fuzz/expect.hpp"
#include "tests/fuzz/import_outcome.hpp"

using deployd::tests::expect;

namespace {

constexpr std::array<std::string_view, 8> headers{
    "id,name\n",   "id;pattern_id;name\r\n", "name\tpattern\tid\n", "\"name\",\"id\"\n",
    "id,name,,\n", "pattern_id,id,name\r",   "id;name;\n",          "id,pattern,name",
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  if (size == 0) return 0;
  auto text = std::string(headers[data[0] % headers.size()]);
  text.append(reinterpret_cast<char const*>(data) + 1, size - 1);
  auto const outcome = deployd::tests::import_whole_and_in_pieces(text);
  if (outcome.refusal) expect(outcome.place.line > 0 && outcome.place.column > 0, "a refusal has line and column");
  return 0;
}
