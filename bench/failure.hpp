// The reasons why a response does not count as correct.
#pragma once

#include <boost/system/error_code.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace deployd::bench {

/// What went wrong with a request. A wrong status is counted separately.
enum class Failure {
  body,
  json,
  malformed,
  closed,
  reset,
  timeout,
  refused,
  unreachable,
  no_port,
  tls,
  certificate,
};
inline constexpr std::size_t failure_kinds = 11;

/// A failure with the reason given by the system or OpenSSL; the reason is empty if the kind is specific enough.
struct Fault {
  Failure kind;
  std::string reason;
};

/// The name under which reports count a failure, and its meaning in words.
struct FailureName {
  std::string_view name;
  std::string_view meaning;
};
FailureName name_of(Failure failure) noexcept;

/// Returns the failure for a socket error while connecting, or on an established connection.
Fault connect_fault(boost::system::error_code error);
Fault transfer_fault(boost::system::error_code error);

}  // namespace deployd::bench
