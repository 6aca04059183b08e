// The result of a migration.
#pragma once

namespace deployd::storage {

struct MigrationReport {
  int from = 0;  // 0: the store was empty
  int to = 0;    // 0: relations of another program, and deployd may not create its own tables beside them
};

}  // namespace deployd::storage
