// The failures that end the program.
#pragma once

#include <stdexcept>
#include <string>

namespace deployd::server {

/// By sysexits.h.
enum class ExitStatus { usage = 64, data = 65, unavailable = 69, software = 70, output = 74, configuration = 78 };

/// `what()` is one line that says what is wrong, where, and what to do.
class Failure : public std::runtime_error {
 public:
  Failure(ExitStatus status, std::string const& line) : std::runtime_error(line), exit_status(status) {}

  ExitStatus exit_status;
};

template <ExitStatus status>
class FailureWith : public Failure {
 public:
  explicit FailureWith(std::string const& line) : Failure(status, line) {}
};

/// An invalid command line. The line names the flag at fault.
using UsageError = FailureWith<ExitStatus::usage>;
/// An invalid environment or configuration file. The line names the variable, or the file, line and key at fault.
using ConfigurationError = FailureWith<ExitStatus::configuration>;
/// Invalid input data.
using DataError = FailureWith<ExitStatus::data>;
/// Output that cannot be written.
using OutputError = FailureWith<ExitStatus::output>;
/// A server that does not respond as expected, or a resource that the operating system refuses.
using UnavailableError = FailureWith<ExitStatus::unavailable>;

/// An address of --listen, or a socket passed to the program, that is not available. The line names it.
class ListenError : public UnavailableError {
 public:
  explicit ListenError(std::string const& line, bool used = false) : UnavailableError(line), in_use(used) {}

  bool in_use;  // another process listens there
};

}  // namespace deployd::server
