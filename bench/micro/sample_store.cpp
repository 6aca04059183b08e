#include "bench/micro/sample_store.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <string>
#include <system_error>

#include "auth/api_token.hpp"
#include "storage/open_database.hpp"
#include "storage/tokens/token_admin.hpp"
#include "storage/transfer/import.hpp"

namespace deployd::bench {
namespace {

std::string sample_rows() {
  std::string lines;
  auto out = std::back_inserter(lines);
  for (int pattern = 1, id = 1; pattern <= SampleStore::patterns; ++pattern) {
    fmt::format_to(out,
                   R"({{"pattern":{{"id":{0},"name":"PATTERN_{0}"}}}})"
                   "\n",
                   pattern);
    for (int i = 0; i < SampleStore::deployments_each; ++i, ++id) {
      fmt::format_to(out,
                     R"({{"deployment":{{"id":{0},"pattern_id":{1},"name":"deployment {0} to the warehouse"}}}})"
                     "\n",
                     id, pattern);
    }
  }
  return lines;
}

std::filesystem::path make_directory() {
  auto name = (std::filesystem::temp_directory_path() / "deployd-microbench-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot create " + name);
  return name;
}

}  // namespace

SampleStore::SampleStore(std::optional<storage::DatabaseUrl> url)
    : directory_(make_directory()), url_(url.value_or(storage::SqliteUrl{(directory_ / "deployd.db").string()})) {
  std::istringstream rows(sample_rows());
  storage::import(url_, {}, {{"sample", &rows}}, {}, [](storage::ImportProgress const&) {});
  storage::DatabaseOptions options;
  options.url = url_;
  database_ = storage::open_database(options);
  store_ = database_->store_for(loop_.get_executor());
}

SampleStore::~SampleStore() {
  store_.reset();
  database_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

std::string SampleStore::write(std::string const& name, std::string_view bytes) const {
  auto path = directory_ / name;
  std::ofstream(path, std::ios::binary) << bytes;
  return path.string();
}

void SampleStore::add_token(std::string_view token) {
  storage::add_token(url_, {}, "sample", auth::hash_of(token), std::nullopt);
}

}  // namespace deployd::bench
