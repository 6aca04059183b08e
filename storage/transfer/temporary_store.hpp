// A temporary SQLite store for a trial.
#pragma once

#include <filesystem>

#include "storage/database_url.hpp"

namespace deployd::storage {

/// Creates a new directory below TMPDIR for a store, and removes both on destruction.
class TemporaryStore {
 public:
  /// Throws `Error` with `unavailable` if the directory cannot be created.
  TemporaryStore();
  ~TemporaryStore();
  TemporaryStore(TemporaryStore const&) = delete;
  TemporaryStore& operator=(TemporaryStore const&) = delete;

  SqliteUrl url() const { return {(directory_ / "store.db").string()}; }

 private:
  std::filesystem::path directory_;
};

}  // namespace deployd::storage
