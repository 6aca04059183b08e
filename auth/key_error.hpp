// The exception for unusable keys.
#pragma once

#include <stdexcept>

namespace deployd::auth {

/// Thrown for a key or key file that cannot be used. `what()` is one line that names the file or option, never the key.
class KeyError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace deployd::auth
