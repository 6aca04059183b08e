// The exception for addresses that cannot be listened on.
#pragma once

#include <stdexcept>

namespace deployd::server {

/// Thrown if an address of --listen, or a socket passed to the program, is not available. `what()` is one line that
/// names it.
class ListenError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace deployd::server
