// Proving to the service manager that every event loop turns.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <vector>

#include "server/systemd/notifier.hpp"

namespace deployd::server {

/// How long systemd waits for a sign of life, by WATCHDOG_USEC and WATCHDOG_PID; nothing when it does not.
std::optional<std::chrono::microseconds> watchdog_limit();

/// Feeds the watchdog each time that all loops have turned: each is given something to do, and only when the last has
/// done it is WATCHDOG=1 sent. One that is held still is thus noticed however well the others, and the main loop, do.
///
/// Of the thread of `main`; the loops are given their task from there.
class SystemdWatchdog {
 public:
  /// Does nothing when there is no `limit`. Everything referenced must outlive this.
  SystemdWatchdog(boost::asio::io_context& main, SystemdNotifier& notifier,
                  std::optional<std::chrono::microseconds> limit);

  /// Begins to watch.
  void watch(std::vector<boost::asio::io_context*> loops);

  /// A loop has come to its end and is not waited for any more.
  void forget(boost::asio::io_context const& loop);

 private:
  struct Loop {
    boost::asio::io_context* context;
    bool turned;
  };

  void ask_in_a_while();
  void ask();
  void turned(std::size_t index);
  bool all_have_turned() const;

  boost::asio::io_context& main_;
  SystemdNotifier& notifier_;
  std::optional<std::chrono::microseconds> limit_;
  boost::asio::steady_timer timer_;
  std::vector<Loop> loops_;
};

}  // namespace deployd::server
