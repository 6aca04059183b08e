#include "storage/sqlite/wal_index.hpp"

#include <atomic>
#include <cstddef>
#include <string>

#include "storage/session/sqlite_statement.hpp"

namespace deployd::storage {
namespace {

// The size of a region of the index. The first region begins with the header.
constexpr int region_bytes = 32 * 1024;

bool uses_wal(soci::session& session) {
  std::string mode;
  session << "PRAGMA main.journal_mode", soci::into(mode);
  return mode == "wal";
}

}  // namespace

std::optional<SqliteWalIndex> SqliteWalIndex::of(soci::session& session) {
  if (!uses_wal(session)) return std::nullopt;
  sqlite_api::sqlite3_file* file = nullptr;
  if (sqlite_api::sqlite3_file_control(sqlite_handle(session), "main", SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK)
    return std::nullopt;
  if (file == nullptr || file->pMethods == nullptr || file->pMethods->iVersion < 2) return std::nullopt;
  void volatile* region = nullptr;
  constexpr int do_not_extend = 0;
  if (file->pMethods->xShmMap(file, 0, region_bytes, do_not_extend, &region) != SQLITE_OK || region == nullptr)
    return std::nullopt;
  return SqliteWalIndex(static_cast<std::uint64_t*>(const_cast<void*>(region)));
}

SqliteWalIndex::Header SqliteWalIndex::header() const noexcept {
  Header header;
  for (std::size_t word = 0; word < header.size(); ++word)
    header[word] = std::atomic_ref(header_[word]).load(std::memory_order_acquire);
  return header;
}

}  // namespace deployd::storage
