// Telling the service manager what state the program is in: the protocol of sd_notify(3).
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/file_descriptor.hpp"

namespace deployd::server {

/// Sends states to the socket that NOTIFY_SOCKET names; does nothing where there is none. Of one thread.
class SystemdNotifier {
 public:
  SystemdNotifier();

  /// Requests are served. `status` is a line for people, as `systemctl status` shows it.
  void ready(std::string_view status);
  /// Keys and configuration are being read again; `ready` says that this has ended.
  void reloading();
  /// The program is about to end, and may need `limit` for that.
  void stopping(std::string_view status, std::chrono::milliseconds limit);
  /// Another line for people.
  void status(std::string_view text);
  /// All event loops turn.
  void feed_watchdog();

 private:
  void send(std::string const& state);

  std::string address_;  // as in sun_path
  base::FileDescriptor socket_;
};

}  // namespace deployd::server
