// The destination of the access log: --access-log-file, or the log.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace deployd::server {

/// Opens the file to which the access log is written from now on. Creates it with mode 0640 if it does not exist. Must
/// be called once, before the first line. Throws std::system_error.
void open_access_log(std::string const& path);

/// Opens the file again by its name, after logrotate has renamed it. Does nothing without a file. Throws
/// std::system_error, in which case lines continue in the old file.
void reopen_access_log();

/// Checks that the file can be appended to, without creating it. Throws std::system_error.
void try_access_log(std::string const& path);

/// Writes whole lines; see LogOutput. Safe to call from any thread.
void write_access_log(std::string_view lines) noexcept;

/// Logs how many lines the file has lost since the last call.
void report_lost_access_lines();

/// Returns the number of lines that the file has lost since the start.
std::uint64_t lost_access_lines() noexcept;

}  // namespace deployd::server
