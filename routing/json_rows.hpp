// Writes records as JSON.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace deployd::routing {

/// Appends `{"id":1,"pattern_id":1,"name":"..."}`; without a name it is `null`.
void append_deployment(std::string& out, std::int64_t id, std::int64_t pattern_id,
                       std::optional<std::string_view> name);

/// Appends `{"id":1,"name":"..."}`.
void append_pattern(std::string& out, std::int64_t id, std::optional<std::string_view> name);

}  // namespace deployd::routing
