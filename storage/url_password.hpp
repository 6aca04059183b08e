// Passwords that stand in the URL of a database.
#pragma once

#include "storage/database_url.hpp"

namespace deployd::storage {

/// Whether a URL holds a password, of the role or of a client's key, as libpq reads it.
bool holds_password(DatabaseUrl const& url);

}  // namespace deployd::storage
