// The command line: selects the command, and maps its outcome to an exit status.
#pragma once

#include <string>
#include <vector>

namespace deployd::server {

/// Runs the program with its arguments (without its own name) and returns its exit status: 0, 64 for bad usage, 65 for
/// bad data, 69 for a store or address that is not available, 74 for output that cannot be written, 78 for bad
/// configuration, 70 for internal errors. A failure is reported in one line on stderr.
int run_program(std::vector<std::string> arguments) noexcept;

}  // namespace deployd::server
