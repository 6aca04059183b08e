// The service manager's end of sd_notify(3).
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "tests/process.hpp"

namespace deployd::tests {

class NotifySocket {
 public:
  /// In the abstract namespace or as a file.
  explicit NotifySocket(bool abstract = false);
  ~NotifySocket();
  NotifySocket(NotifySocket const&) = delete;
  NotifySocket& operator=(NotifySocket const&) = delete;

  /// The value of NOTIFY_SOCKET.
  std::string const& name() const noexcept { return name_; }

  /// The next message that holds the line `line`; others are passed over. Throws std::runtime_error when none comes.
  std::string wait_for(std::string_view line, std::chrono::milliseconds deadline = std::chrono::seconds(20));

  /// True if a message with the line `line` arrives before the deadline.
  bool hears(std::string_view line, std::chrono::milliseconds deadline);

  /// Forgets what has come so far.
  void forget();

 private:
  /// The next message; empty at the deadline.
  std::string next(std::chrono::steady_clock::time_point deadline) const;

  TemporaryDirectory directory_;
  std::string name_;
  int socket_;
};

}  // namespace deployd::tests
