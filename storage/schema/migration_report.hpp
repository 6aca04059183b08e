// What a migration did.
#pragma once

namespace deployd::storage {

struct MigrationReport {
  int from = 0;  // 0: the store was empty
  int to = 0;    // 0: relations of another program, beside which deployd may not create its own tables
};

}  // namespace deployd::storage
