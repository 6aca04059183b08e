// The reasons why a response does not count as correct.
#pragma once

#include <boost/system/error_code.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace deployd::bench {

/// What went wrong with a request. A wrong status is counted separately.
enum class Failure {
  body,         // not the expected body
  json,         // a JSON body that does not parse
  malformed,    // not HTTP
  closed,       // the server closed the connection before the answer was complete
  reset,        // the connection was reset
  timeout,      // no complete answer, or no connection, within --timeout
  refused,      // nothing listens on the port
  unreachable,  // no connection, for another reason
  no_port,      // no local port is left on this machine
  tls,          // failed handshake or unreadable record
  certificate,  // the server's certificate is not trusted
};
inline constexpr std::size_t failure_kinds = 11;

/// A failure with the reason given by the system or OpenSSL; the reason is empty if the kind is specific enough.
struct Fault {
  Failure kind;
  std::string reason;
};

/// Returns the name under which reports count a failure.
std::string_view to_string(Failure failure) noexcept;

/// Returns the failure for a socket error while connecting, or on an established connection.
Fault connect_fault(boost::system::error_code error);
Fault transfer_fault(boost::system::error_code error);

}  // namespace deployd::bench
