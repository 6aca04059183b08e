// Why an answer did not count as right.
#pragma once

#include <boost/system/error_code.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace deployd::bench {

/// What went wrong with a request, but for a wrong status, which stands for itself.
enum class Failure {
  body,         // not the expected body
  json,         // a JSON body that does not parse
  malformed,    // not HTTP
  closed,       // the server closed the connection before the answer was complete
  reset,        // the connection was reset
  timeout,      // no complete answer, or no connection, within --timeout
  refused,      // nobody listens
  unreachable,  // no connection for another reason
  no_port,      // this machine has no local port left
  tls,          // no handshake, or a record that cannot be read
  certificate,  // the server's is not trusted
};
inline constexpr std::size_t failure_kinds = 11;

/// A failure with what the system or OpenSSL says of it; an empty reason where the kind says all.
struct Fault {
  Failure kind;
  std::string reason;
};

/// The name under which reports count a failure.
std::string_view to_string(Failure failure) noexcept;

/// What an error of a socket means while connecting, and on a connection that stands.
Fault connect_fault(boost::system::error_code error);
Fault transfer_fault(boost::system::error_code error);

}  // namespace deployd::bench
