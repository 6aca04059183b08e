// A SQLite store of its own, for trying something that is not kept.
#pragma once

#include <filesystem>

#include "storage/database_url.hpp"

namespace deployd::storage {

/// A new directory below TMPDIR with the place for a store; both are removed with the object.
class TemporaryStore {
 public:
  /// Throws `Error` with `unavailable` if the directory cannot be made.
  TemporaryStore();
  ~TemporaryStore();
  TemporaryStore(TemporaryStore const&) = delete;
  TemporaryStore& operator=(TemporaryStore const&) = delete;

  SqliteUrl url() const { return {(directory_ / "store.db").string()}; }

 private:
  std::filesystem::path directory_;
};

}  // namespace deployd::storage
