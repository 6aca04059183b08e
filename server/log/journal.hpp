// Detects whether stderr is connected to the journal of systemd.
#pragma once

#include <spdlog/common.h>

#include <string_view>

namespace deployd::server {

/// Returns the prefix by which the journal recognises the priority of a line, as defined by sd-daemon(3); the journal
/// removes it. Empty unless stderr goes to the journal.
std::string_view journal_prefix(spdlog::level::level_enum level) noexcept;

}  // namespace deployd::server
