// Where the lines of the access log go: --access-log-file, or the log.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace deployd::server {

/// Opens the file that the lines of the access log are appended to from now on. Makes it, with mode 0640, where there
/// is none. To be called once, before there are such lines. Throws std::system_error.
void open_access_log(std::string const& path);

/// Opens the file of that name again, after logrotate has renamed the one that is open; nothing where there is none.
/// Throws std::system_error, and the lines go on into the file that was open.
void reopen_access_log();

/// Tries whether the file can be appended to, without making it. Throws std::system_error.
void try_access_log(std::string const& path);

/// Writes whole lines; see LogOutput. Any thread.
void write_access_log(std::string_view lines) noexcept;

/// Says in the log how many lines the file has lost since this was last called.
void report_lost_access_lines();

/// How many lines the file has lost since the start.
std::uint64_t access_lines_lost_in_all() noexcept;

}  // namespace deployd::server
