// Shows the service manager that every event loop is running.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <vector>

#include "server/systemd/notifier.hpp"

namespace deployd::server {

/// Returns the watchdog timeout of WATCHDOG_USEC and WATCHDOG_PID, or nothing if the watchdog is off.
std::optional<std::chrono::microseconds> watchdog_limit();

/// Feeds the watchdog when all loops have run: a task is posted to each, and WATCHDOG=1 is sent only after the last has
/// run it. A loop that hangs is therefore detected even if the others and the main loop are running.
///
/// Must be used on the thread of `main`, which posts the tasks to the loops.
class SystemdWatchdog {
 public:
  /// Does nothing without a `limit`. All references must outlive this object.
  SystemdWatchdog(boost::asio::io_context& main, SystemdNotifier& notifier,
                  std::optional<std::chrono::microseconds> limit);

  /// Starts watching.
  void watch(std::vector<boost::asio::io_context*> loops);

  /// Stops waiting for a loop that has ended.
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
