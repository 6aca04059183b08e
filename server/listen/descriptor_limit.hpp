// How many descriptors the process may have, and who has them.
#pragma once

#include <cstddef>
#include <stdexcept>

namespace deployd::server {

/// What the operating system does not give, of which the server needs some. `what()` is one line that says what to do.
class ResourceError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Raises the soft limit on open descriptors to `wanted` where it is lower, as far as the hard limit allows. Throws
/// ResourceError when it is not even `needed`, without which no connection can be served.
void allow_descriptors(std::size_t needed, std::size_t wanted);

/// The most descriptors that the process may have open after raising its limit.
std::size_t hard_descriptor_limit() noexcept;

/// What is open once the server can start, and what must remain possible when clients have all the connections that
/// they can have.
struct DescriptorReserve {
  std::size_t open;     // now
  std::size_t serving;  // for the admin address, the sessions of the store, reloads, the log
  std::size_t lists;    // for the sessions of long lists
};

/// Returns how many connections there can be, at most `wanted`, so that the reserve remains. Raises the soft limit as
/// far as needed and possible; logs a warning where that is not far enough. With very few descriptors long lists get
/// half of what is left. Throws ResourceError when not a single connection is possible.
std::size_t connections_within_limit(std::size_t wanted, DescriptorReserve const& reserve);

/// Returns how many connections the admin address accepts at a time: 64, fewer under a low limit on descriptors.
std::size_t admin_connections() noexcept;

}  // namespace deployd::server
