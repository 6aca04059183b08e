#include "bench/failure.hpp"

#include <boost/asio/error.hpp>

namespace deployd::bench {

std::string_view to_string(Failure failure) noexcept {
  switch (failure) {
    case Failure::body: return "body";
    case Failure::json: return "json";
    case Failure::malformed: return "malformed";
    case Failure::closed: return "closed";
    case Failure::reset: return "reset";
    case Failure::timeout: return "timeout";
    case Failure::refused: return "refused";
    case Failure::unreachable: return "unreachable";
    case Failure::no_port: return "no_port";
    case Failure::tls: return "tls";
    case Failure::certificate: return "certificate";
  }
  return "unknown";
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
