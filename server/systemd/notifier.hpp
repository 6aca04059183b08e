// Notifies the service manager of the program's state: the protocol of sd_notify(3).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/file_descriptor.hpp"

namespace deployd::server {

/// Sends states to the socket in NOTIFY_SOCKET. Does nothing if there is none. Must be used on one thread.
class SystemdNotifier {
 public:
  SystemdNotifier();

  /// Sends assignments of sd_notify(3), one per line. Logs a failure.
  void send(std::string_view assignments);

 private:
  std::string address_;  // in the form of sun_path
  base::FileDescriptor socket_;
};

/// Returns the number in a variable of the environment, or nothing if it has none.
std::optional<std::int64_t> number_in_variable(char const* name);

/// Returns the watchdog timeout of WATCHDOG_USEC and WATCHDOG_PID, or nothing if the watchdog is off.
std::optional<std::chrono::microseconds> watchdog_limit();

}  // namespace deployd::server
