#include "storage/schema/found_schema.hpp"

#include "storage/error.hpp"

namespace deployd::storage {
namespace {

[[noreturn]] void refuse_newer(DatabaseUrl const& url, int version, int current) {
  throw Error(errc::newer_schema, place(url) + ": the store has schema version " + std::to_string(version) +
                                      ", this deployd is too old for it (it knows version " + std::to_string(current) +
                                      ")");
}

[[noreturn]] void refuse_foreign_store(DatabaseUrl const& url) {
  throw Error(errc::corrupt,
              place(url) + ": the database belongs to another program: it has tables, but no deployd schema version");
}

}  // namespace

std::string place(DatabaseUrl const& url) {
  auto const* sqlite = std::get_if<SqliteUrl>(&url);
  return sqlite ? sqlite->path : describe(url);
}

void require_upgradable(DatabaseUrl const& url, FoundSchema const& found, int last) {
  if (found.somebody_elses) refuse_foreign_store(url);
  if (found.version > last) refuse_newer(url, found.version, last);
}

void require_version(DatabaseUrl const& url, FoundSchema const& found, int current) {
  if (found.somebody_elses) refuse_foreign_store(url);
  if (found.version == 0)
    throw Error(errc::missing, place(url) + ": there is no deployd schema in the store; run `deployd migrate`");
  if (found.version < current)
    throw Error(errc::older_schema, place(url) + ": the store has the older schema version " +
                                        std::to_string(found.version) + "; run `deployd migrate`");
  if (found.version > current) refuse_newer(url, found.version, current);
}

int last_version(std::span<Migration const> migrations) {
  return migrations.empty() ? 0 : migrations.back().version;
}

}  // namespace deployd::storage
