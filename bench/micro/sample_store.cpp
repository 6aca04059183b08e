#include "bench/micro/sample_store.hpp"

#include <fmt/format.h>

#include <iterator>
#include <sstream>
#include <string>

#include "auth/api_token.hpp"
#include "storage/database.hpp"
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

}  // namespace

SampleStore::SampleStore(std::optional<storage::DatabaseUrl> url)
    : url_(url.value_or(storage::SqliteUrl{(directory_.path() / "deployd.db").string()})) {
  std::istringstream rows(sample_rows());
  storage::import(url_, {}, {{"sample", &rows}}, {}, [](storage::ImportProgress const&) {});
  storage::DatabaseOptions options;
  options.url = url_;
  database_ = storage::open_database(options);
  store_ = database_->store_for(loop_.get_executor());
}

void SampleStore::add_token(std::string_view token) {
  storage::add_token(url_, {}, "sample", auth::hash_of(token), std::nullopt);
}

}  // namespace deployd::bench
