#include "storage/sqlite/wal_index.hpp"

#include <atomic>
#include <cstddef>
#include <string_view>

namespace deployd::storage {
namespace {

// The size of a region of the index. The first region begins with the header.
constexpr int region_bytes = 32 * 1024;

bool uses_wal(sqlite_api::sqlite3* database) noexcept {
  sqlite_api::sqlite3_stmt* pragma = nullptr;
  if (sqlite_api::sqlite3_prepare_v2(database, "PRAGMA main.journal_mode", -1, &pragma, nullptr) != SQLITE_OK)
    return false;
  bool wal = false;
  if (sqlite_api::sqlite3_step(pragma) == SQLITE_ROW) {
    auto const* const mode = reinterpret_cast<char const*>(sqlite_api::sqlite3_column_text(pragma, 0));
    wal = mode != nullptr && std::string_view(mode) == "wal";
  }
  sqlite_api::sqlite3_finalize(pragma);
  return wal;
}

}  // namespace

std::optional<SqliteWalIndex> SqliteWalIndex::of(sqlite_api::sqlite3* database) noexcept {
  if (!uses_wal(database)) return std::nullopt;
  sqlite_api::sqlite3_file* file = nullptr;
  if (sqlite_api::sqlite3_file_control(database, "main", SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK)
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
