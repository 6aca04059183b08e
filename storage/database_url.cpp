#include "storage/database_url.hpp"

#include "storage/error.hpp"

namespace deployd::storage {

boost::system::result<DatabaseUrl> parse_database_url(std::string_view text) {
  if (text.starts_with("sqlite:") && text.size() > 7) return SqliteUrl{std::string(text.substr(7))};
  return make_error_code(errc::bad_database_url);
}

std::string describe(DatabaseUrl const& url) {
  if (auto const* sqlite = std::get_if<SqliteUrl>(&url)) return "sqlite:" + sqlite->path;
  return "postgresql";
}

}  // namespace deployd::storage
