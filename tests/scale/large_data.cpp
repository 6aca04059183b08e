#include "tests/scale/large_data.hpp"

#include <fstream>
#include <stdexcept>
#include <string>

namespace deployd::tests {

void LargeData::write_to(std::filesystem::path const& file) const {
  std::ofstream out(file, std::ios::binary);
  for (std::int64_t id = 1; id <= patterns; ++id)
    out << R"({"pattern":{"id":)" << id << R"(,"name":"PATTERN_)" << id << "\"}}\n";
  for (std::int64_t id = 1; id <= deployments; ++id)
    out << R"({"deployment":{"id":)" << id << R"(,"pattern_id":)" << pattern_of(id) << R"(,"name":"deployment )" << id
        << "\"}}\n";
  out.close();
  if (!out) throw std::runtime_error(file.string() + " cannot be written");
}

}  // namespace deployd::tests
