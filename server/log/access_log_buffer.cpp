#include "server/log/access_log_buffer.hpp"

#include "server/log/access_log_file.hpp"

namespace deployd::server {

void AccessLogBuffer::append(AccessEntry const& entry) {
  auto const before = lines_.size();
  try {
    append_access_line(lines_, format_, entry);
  } catch (...) {
    lines_.resize(before);
    throw;
  }
  if (lines_.size() >= flush_size) flush();
}

void AccessLogBuffer::flush() noexcept {
  if (lines_.empty()) return;
  write_access_log(lines_);
  lines_.clear();
  // A line of a hostile request may be many times longer than others.
  if (lines_.capacity() > 2 * flush_size) std::string().swap(lines_);
}

}  // namespace deployd::server
