// The journal of systemd, where it takes what is written to stderr.
#pragma once

#include <spdlog/common.h>

#include <string_view>

namespace deployd::server {

/// What a line begins with so that the journal knows its priority, as in sd-daemon(3); it takes that off. Empty where
/// stderr does not go to the journal.
std::string_view journal_prefix(spdlog::level::level_enum level) noexcept;

}  // namespace deployd::server
