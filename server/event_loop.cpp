#include "server/event_loop.hpp"

#include <spdlog/spdlog.h>

#include <exception>
#include <vector>

namespace deployd::server {

void EventLoop::run_on() noexcept {
  while (true) {
    try {
      run();
      return;
    } catch (std::exception const& failure) {
      try {
        spdlog::error("an event loop continues after a failure: {}", failure.what());
      } catch (std::exception const&) {
        // Not enough memory for the log line either.
      }
    }
  }
}

void abandon(std::unique_ptr<EventLoop> loop) {
  static auto& abandoned = *new std::vector<EventLoop*>;
  abandoned.push_back(loop.release());
}

}  // namespace deployd::server
