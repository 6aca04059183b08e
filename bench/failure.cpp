#include "bench/failure.hpp"

#include <boost/asio/error.hpp>

#include <array>

namespace deployd::bench {

FailureName name_of(Failure failure) noexcept {
  static constexpr std::array<FailureName, failure_kinds> names{{
      {"body", "the body is not the expected one"},
      {"json", "a JSON body that does not parse"},
      {"malformed", "not an HTTP answer"},
      {"closed", "the server closed the connection before the answer was complete"},
      {"reset", "the connection was reset"},
      {"timeout", "no complete answer, or no connection, in time"},
      {"refused", "the connection was refused"},
      {"unreachable", "no connection"},
      {"no_port", "this machine ran out of local ports"},
      {"tls", "no TLS handshake, or an unreadable record"},
      {"certificate", "the certificate is not trusted"},
  }};
  return names[static_cast<std::size_t>(failure)];
}

Fault connect_fault(boost::system::error_code error) {
  namespace sys = boost::system::errc;
  if (error == boost::asio::error::connection_refused) return {Failure::refused, {}};
  if (error == boost::asio::error::connection_reset) return {Failure::reset, {}};
  if (error == boost::asio::error::timed_out || error == boost::asio::error::operation_aborted)
    return {Failure::timeout, {}};
  if (error == sys::address_not_available) return {Failure::no_port, {}};
  return {Failure::unreachable, error.message()};
}

Fault transfer_fault(boost::system::error_code error) {
  if (error == boost::asio::error::operation_aborted || error == boost::asio::error::timed_out)
    return {Failure::timeout, {}};
  if (error == boost::asio::error::eof) return {Failure::closed, {}};
  return {Failure::reset, {}};
}

}  // namespace deployd::bench
