// What is wrong with a configured key.
#pragma once

#include <stdexcept>

namespace deployd::auth {

/// A key or file that cannot be used. `what()` is one line that names the file or option, never the key.
class KeyError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace deployd::auth
