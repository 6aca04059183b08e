// Where the lines of the log go.
#pragma once

#include <spdlog/sinks/base_sink.h>

#include <mutex>

#include "server/log/format.hpp"
#include "server/log/repeat_filter.hpp"

namespace deployd::server {

/// Writes the log to stderr. Of lines that repeat only the first are written, and later how many there were: with each
/// flush for those whose time is over, and in the end for all; then it also says how many lines could not be written.
/// Any thread.
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
};

}  // namespace deployd::server
