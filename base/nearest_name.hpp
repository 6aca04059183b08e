// Suggests a name for a mistyped one.
#pragma once

#include <span>
#include <string_view>

namespace deployd::base {

/// Returns the one of `names` that is most similar to `mistyped`, the first of several: at most two characters
/// inserted, removed or replaced, and fewer for short names. Ignores case. Empty if none is similar.
std::string_view nearest_name(std::string_view mistyped, std::span<std::string_view const> names);

}  // namespace deployd::base
