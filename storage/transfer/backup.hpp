// Copies a store while it is in use.
#pragma once

#include <cstdint>
#include <filesystem>

#include "storage/database_url.hpp"

namespace deployd::storage {

/// Copies a SQLite store, of any schema version, to `file`, which must not exist: one consistent snapshot, without
/// blocking writers. The copy gets its name only when it is complete and on the disk. It is readable by its owner only.
/// Returns its size in bytes.
///
/// Throws std::system_error naming the file, or `Error` for a store that is missing, not deployd's, or unreadable.
std::uintmax_t back_up(SqliteUrl const& url, std::filesystem::path const& file);

}  // namespace deployd::storage
