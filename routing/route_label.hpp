// The route under which a request is counted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace deployd::routing {

inline constexpr std::size_t route_count = 11;

/// The index of a request's route in `routes()`, or `no_route`. Clients cannot introduce other values.
using RouteLabel = std::uint8_t;
inline constexpr RouteLabel no_route = route_count;
inline constexpr std::size_t route_labels = route_count + 1;

/// Returns the path template of the route, or `other` for `no_route`.
std::string_view to_string(RouteLabel label) noexcept;

}  // namespace deployd::routing
