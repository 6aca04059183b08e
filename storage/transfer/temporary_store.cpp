#include "storage/transfer/temporary_store.hpp"

#include <stdlib.h>

#include <string>
#include <system_error>

#include "storage/error.hpp"

namespace deployd::storage {

TemporaryStore::TemporaryStore() {
  std::error_code failure;
  auto pattern = (std::filesystem::temp_directory_path(failure) / "deployd-XXXXXX").string();
  if (failure || ::mkdtemp(pattern.data()) == nullptr)
    throw Error(errc::unavailable, pattern + ": no directory can be made for the dry run; set TMPDIR");
  directory_ = pattern;
}

TemporaryStore::~TemporaryStore() {
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

}  // namespace deployd::storage
