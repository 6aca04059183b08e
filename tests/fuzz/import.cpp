// Imports: rows or a line of refusal, the same whatever pieces the text comes in; and rows that are written as an
// export are read as the same rows again.
#include <cstdint>
#include <sstream>
#include <string>
#include <string_view>

#include "storage/transfer/export_writer.hpp"
#include "tests/fuzz/expect.hpp"
#include "tests/fuzz/import_outcome.hpp"

namespace storage = deployd::storage;
using deployd::tests::Collected;
using deployd::tests::expect;

namespace {

std::string write(Collected const& rows, storage::ExportFormat format) {
  std::ostringstream out;
  storage::ExportWriter writer(format, storage::ExportTables::both, {"patterns", "deployments"}, out);
  for (auto const& [id, name] : rows.patterns) writer.row(id, id, name);
  writer.begin_deployments();
  for (auto const& [id, pattern_id, name] : rows.deployments) writer.row(id, pattern_id, name);
  writer.finish();
  return out.str();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  auto const whole = deployd::tests::import_whole_and_in_pieces({reinterpret_cast<char const*>(data), size});
  if (whole.refusal) return 0;
  for (auto const format : {storage::ExportFormat::json, storage::ExportFormat::ndjson, storage::ExportFormat::csv}) {
    auto const again = deployd::tests::import_in_pieces(write(whole.rows, format), 7);
    expect(!again.refusal, "an export can be imported");
    expect(again.rows.patterns == whole.rows.patterns, "an export has the same patterns");
    expect(again.rows.deployments == whole.rows.deployments, "an export has the same deployments");
  }
  return 0;
}
