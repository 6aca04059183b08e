// Why an address cannot be listened on.
#pragma once

#include <stdexcept>

namespace deployd::server {

/// An address of --listen, or a socket handed over, that is not available. `what()` is one line that names it.
class ListenError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace deployd::server
