// Notifies the service manager of the program's state: the protocol of sd_notify(3).
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/file_descriptor.hpp"

namespace deployd::server {

/// Sends states to the socket in NOTIFY_SOCKET. Does nothing if there is none. Must be used on one thread.
class SystemdNotifier {
 public:
  SystemdNotifier();

  /// Requests are served. `status` is a line for people, shown by `systemctl status`.
  void ready(std::string_view status);
  /// Keys and configuration are being reloaded; `ready` ends this state.
  void reloading();
  /// The program is about to end, within `limit`.
  void stopping(std::string_view status, std::chrono::milliseconds limit);
  /// Sends another line for people.
  void status(std::string_view text);
  /// All event loops are running.
  void feed_watchdog();

 private:
  void send(std::string const& state);

  std::string address_;  // in the form of sun_path
  base::FileDescriptor socket_;
};

}  // namespace deployd::server
