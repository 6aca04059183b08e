// The sink of the log.
#pragma once

#include <spdlog/sinks/base_sink.h>

#include <cstdint>
#include <mutex>

#include "server/log/format.hpp"
#include "server/log/repeat_filter.hpp"

namespace deployd::server {

/// Writes the log to stderr. Only the first of repeated lines are written, and later the number of repetitions: at each
/// flush for windows that have ended, and at destruction for all. It then also reports how many lines could not be
/// written. Safe to use from any thread.
class LogSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit LogSink(LogFormat format);
  ~LogSink() override;

 protected:
  void sink_it_(spdlog::details::log_msg const& message) override;
  void flush_() override;

 private:
  void write(spdlog::details::log_msg const& message);
  spdlog::memory_buf_t format(spdlog::details::log_msg const& message);
  void report_lost_lines();
  void report(RepeatFilter::TimePoint now);

  RepeatFilter repeats_;
  std::uint64_t lost_lines_reported_ = 0;
};

}  // namespace deployd::server
