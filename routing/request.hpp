// An HTTP request as seen by routing: the parsed head, as views into the server's buffer.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "routing/form.hpp"

namespace deployd::routing {

enum class Method : std::uint8_t { get, head, options, other };

/// A field that is valid only if it occurs at most once in a request.
struct SingleField {
  std::string_view value;  // of the last one, without surrounding white space
  unsigned count = 0;      // number of occurrences in the request

  bool present() const noexcept { return count != 0; }
  bool single() const noexcept { return count == 1; }
};

/// The framing has been checked (RFC 9112), nothing else. The views are valid until the response is complete.
struct Request {
  Method method = Method::other;
  std::string_view method_name;
  std::string_view target;  // as in the request line
  bool http_1_1 = true;     // false: HTTP/1.0
  bool keep_alive = true;   // false if the connection is closed after this response
  WantedForm wanted = {};   // by Accept and Accept-Encoding
  SingleField authorization;
  SingleField if_match;
  SingleField if_none_match;
  SingleField origin;
  SingleField access_control_request_method;
  SingleField access_control_request_headers;
  std::string_view field_lines;  // all of them as received: see `find_field`
  std::string_view limit_lines;  // lines of the response, ready for a header block: see RateLimitFields
};

/// All fields that a request has views of.
inline constexpr std::array fields_of_request{&Request::authorization,
                                              &Request::if_match,
                                              &Request::if_none_match,
                                              &Request::origin,
                                              &Request::access_control_request_method,
                                              &Request::access_control_request_headers};

/// Searches for a field that is needed too rarely to be stored in every request. `name` is case-insensitive.
SingleField find_field(Request const& request, std::string_view name) noexcept;

inline constexpr std::size_t route_count = 11;

/// The route under which a request is counted: its index in `routes()`, or `no_route`. Clients cannot introduce other
/// values.
using RouteLabel = std::uint8_t;
inline constexpr RouteLabel no_route = route_count;
inline constexpr std::size_t route_labels = route_count + 1;

/// Returns the path template of the route, or `other` for `no_route`.
std::string_view to_string(RouteLabel label) noexcept;

/// The time at which the worker's loop saw that the request was complete.
struct Moment {
  std::chrono::system_clock::time_point now;
  std::string_view http_date;                      // `now` as an IMF-fixdate (RFC 9110 §5.6.7): always 29 characters
  std::chrono::steady_clock::time_point steady{};  // the same instant, for measuring durations
};

}  // namespace deployd::routing
