#include "server/log/access_log.hpp"

#include <fmt/format.h>

#include <iterator>

#include "server/listen/socket_address.hpp"
#include "server/log/access_log_file.hpp"
#include "server/log/format.hpp"

namespace deployd::server {
namespace {

double milliseconds_of(std::chrono::nanoseconds time) noexcept {
  return std::chrono::duration<double, std::milli>(time).count();
}

}  // namespace

void append_access_line(std::string& out, AccessLog format, AccessEntry const& entry) {
  if (format == AccessLog::json) {
    out += R"({"time":")";
    append_log_time(out, entry.time);
    out += '"';
    append_json_member(out, "remote", entry.remote);
    append_json_member(out, "method", entry.method);
    append_json_member(out, "target", entry.target);
    fmt::format_to(std::back_inserter(out), R"(,"status":{})", entry.status);
    append_json_member(out, "subject", entry.subject);
    if (!entry.reason.empty()) append_json_member(out, "reason", entry.reason);
    fmt::format_to(std::back_inserter(out), R"(,"duration_ms":{:.3f},"bytes_sent":{})", milliseconds_of(entry.duration),
                   entry.bytes_sent);
    append_json_member(out, "user_agent", entry.user_agent);
    append_json_fields(out, entry.request_id, entry.trace);
    out += "}\n";
    return;
  }
  append_log_time(out, entry.time);
  fmt::format_to(std::back_inserter(out), " {} \"", entry.remote);
  append_escaped(out, entry.method);
  out += ' ';
  append_escaped(out, entry.target);
  fmt::format_to(std::back_inserter(out), "\" {} \"", entry.status);
  append_escaped(out, entry.subject);
  out += '"';
  if (!entry.reason.empty()) fmt::format_to(std::back_inserter(out), " reason=\"{}\"", entry.reason);
  fmt::format_to(std::back_inserter(out), " duration_ms={:.3f} bytes_sent={} user_agent=\"",
                 milliseconds_of(entry.duration), entry.bytes_sent);
  append_escaped(out, entry.user_agent);
  out += '"';
  append_text_fields(out, entry.request_id, entry.trace);
  out += '\n';
}

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

std::string remote_address(int socket) {
  auto const peer = peer_address(socket);
  if (peer.protocol().family() == AF_UNIX) return "unix";
  auto text = to_text(peer);
  return text.empty() ? "unknown" : text;
}

}  // namespace deployd::server
