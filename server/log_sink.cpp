#include "server/log_sink.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cstdio>

namespace deployd::server {

using Clock = std::chrono::steady_clock;

LogSink::LogSink(LogFormat format) : base_sink(make_log_formatter(format)) {}

LogSink::~LogSink() {
  try {
    report(RepeatFilter::TimePoint::max());
  } catch (std::exception const&) {
    // Without memory for it, the last lines are lost.
  }
}

void LogSink::sink_it_(spdlog::details::log_msg const& message) {
  if (repeats_.admit(message.level, {message.payload.data(), message.payload.size()}, Clock::now())) write(message);
}

void LogSink::flush_() {
  report(Clock::now());
}

void LogSink::write(spdlog::details::log_msg const& message) {
  spdlog::memory_buf_t line;
  formatter_->format(message, line);
  // One call a line, so that the lines of the access log do not come between.
  std::fwrite(line.data(), 1, line.size(), stderr);
}

void LogSink::report(RepeatFilter::TimePoint now) {
  for (auto const& held_back : repeats_.take_ended(now)) {
    auto const text = fmt::format("repeated {} times more: {}", held_back.times, held_back.line);
    write(spdlog::details::log_msg(spdlog::string_view_t(), held_back.level, text));
  }
}

}  // namespace deployd::server
