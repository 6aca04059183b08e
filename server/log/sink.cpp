#include "server/log/sink.hpp"

#include <fmt/format.h>

#include <chrono>
#include <system_error>

#include "server/log/output.hpp"

namespace deployd::server {

using Clock = std::chrono::steady_clock;

LogSink::LogSink(LogFormat format) : base_sink(make_log_formatter(format)) {}

LogSink::~LogSink() {
  try {
    report_lost_lines();
    report(RepeatFilter::TimePoint::max());
  } catch (std::exception const&) {
    // Without memory for the report, the last lines are lost.
  }
}

void LogSink::sink_it_(spdlog::details::log_msg const& message) {
  if (repeats_.admit(message.level, {message.payload.data(), message.payload.size()}, Clock::now())) write(message);
}

void LogSink::flush_() {
  report_lost_lines();
  report(Clock::now());
}

void LogSink::write(spdlog::details::log_msg const& message) {
  auto const line = format(message);
  log_output().write({line.data(), line.size()});
}

spdlog::memory_buf_t LogSink::format(spdlog::details::log_msg const& message) {
  spdlog::memory_buf_t line;
  formatter_->format(message, line);
  return line;
}

void LogSink::report_lost_lines() {
  auto const lost = log_output().lost();
  if (lost.count == lost_lines_reported_) return;
  auto const text = fmt::format("{} lines of the log could not be written: {}", lost.count - lost_lines_reported_,
                                std::generic_category().message(lost.error));
  auto const line = format(spdlog::details::log_msg(spdlog::string_view_t(), spdlog::level::warn, text));
  if (log_output().try_to_write({line.data(), line.size()})) lost_lines_reported_ = lost.count;
}

void LogSink::report(RepeatFilter::TimePoint now) {
  for (auto const& held_back : repeats_.take_ended(now)) {
    auto const text = fmt::format("repeated {} times more: {}", held_back.times, held_back.line);
    write(spdlog::details::log_msg(spdlog::string_view_t(), held_back.level, text));
  }
}

}  // namespace deployd::server
