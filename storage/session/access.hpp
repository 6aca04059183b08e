// The access that a session is opened for.
#pragma once

namespace deployd::storage {

enum class Access {
  read,    // never writes; the SQLite file must exist
  write,   // the SQLite file must exist
  create,  // the SQLite file may be created
};

}  // namespace deployd::storage
