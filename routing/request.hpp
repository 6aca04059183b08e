// An HTTP request as routing sees it: the head that the server has parsed, as views into its buffer.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string_view>

namespace deployd::routing {

enum class Method : std::uint8_t { get, head, options, other };

/// A field that may stand in a request at most once to mean anything.
struct SingleField {
  std::string_view value;  // the last one, without the white space around it
  unsigned count = 0;      // how often the field stands in the request

  bool present() const noexcept { return count != 0; }
  bool single() const noexcept { return count == 1; }
};

/// The framing has been checked (RFC 9112), nothing else has. The views live until the answer is complete.
struct Request {
  Method method = Method::other;
  std::string_view method_name;
  std::string_view target;  // as it stood in the request line
  bool http_1_1 = true;     // false: HTTP/1.0
  bool keep_alive = true;   // false: the connection ends with this answer
  SingleField authorization;
  SingleField if_match;
  SingleField if_none_match;
  SingleField origin;
  SingleField access_control_request_method;
  SingleField access_control_request_headers;
  std::string_view field_lines;  // all of them as they were sent: see `find_field`
  std::string_view limit_lines;  // those that its answer is to have, ready for a header block: see RateLimitFields
};

/// All the fields that a request has views of.
inline constexpr std::array fields_of_request{&Request::authorization,
                                              &Request::if_match,
                                              &Request::if_none_match,
                                              &Request::origin,
                                              &Request::access_control_request_method,
                                              &Request::access_control_request_headers};

/// Looks for a field that is not needed often enough to be remembered by everyone. `name` in any case.
SingleField find_field(Request const& request, std::string_view name) noexcept;

/// The time as the worker's loop saw it when the request was complete.
struct Moment {
  std::chrono::system_clock::time_point now;
  std::string_view http_date;                      // `now` as an IMF-fixdate (RFC 9110 §5.6.7): always 29 characters
  std::chrono::steady_clock::time_point steady{};  // the same instant, for measuring
};

}  // namespace deployd::routing
