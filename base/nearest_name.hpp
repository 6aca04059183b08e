// What a mistyped name was probably meant to be.
#pragma once

#include <span>
#include <string_view>

namespace deployd::base {

/// Returns the one of `names` that is nearest to `mistyped`, the first of several: at most two characters inserted,
/// removed or replaced, and for short names fewer. Empty when none is near.
std::string_view nearest_name(std::string_view mistyped, std::span<std::string_view const> names);

}  // namespace deployd::base
