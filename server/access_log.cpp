#include "server/access_log.hpp"

#include <fmt/format.h>

#include <iterator>

#include "server/log_format.hpp"
#include "server/socket_address.hpp"

namespace deployd::server {
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
  append_text_fields(out, entry.request_id, entry.trace);
  out += '\n';
}

std::string remote_address(int socket) {
  auto const peer = peer_address(socket);
  if (peer.family() == AF_UNIX) return "unix";
  auto text = to_string(peer);
  return text.empty() ? "unknown" : text;
}

}  // namespace deployd::server
