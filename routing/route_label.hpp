// What a request is counted under.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace deployd::routing {

inline constexpr std::size_t route_count = 5;

/// The place of a request's route in `routes()`, or `no_route`: never anything that a client can choose.
using RouteLabel = std::uint8_t;
inline constexpr RouteLabel no_route = route_count;
inline constexpr std::size_t route_labels = route_count + 1;

/// The path template of the route; `other` for `no_route`.
std::string_view to_string(RouteLabel label) noexcept;

}  // namespace deployd::routing
