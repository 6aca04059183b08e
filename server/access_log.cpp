#include "server/access_log.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <cstdio>
#include <iterator>

#include "routing/text_encoding.hpp"
#include "server/socket_address.hpp"
#include "storage/json_escape.hpp"

namespace deployd::server {
namespace {

/// RFC 3339, in UTC, with milliseconds.
void append_time(std::string& out, std::chrono::system_clock::time_point time) {
  auto const second = std::chrono::floor<std::chrono::seconds>(time);
  auto const milliseconds = std::chrono::floor<std::chrono::milliseconds>(time - second).count();
  fmt::format_to(std::back_inserter(out), "{:%FT%T}.{:03}Z", fmt::gmtime(std::chrono::system_clock::to_time_t(second)),
                 milliseconds);
}

void append_escaped(std::string& out, std::string_view text) {
  storage::append_json_escaped(out, routing::to_valid_utf8(text));
}

void append_json_member(std::string& out, std::string_view name, std::string_view text) {
  fmt::format_to(std::back_inserter(out), R"(,"{}":")", name);
  append_escaped(out, text);
  out += '"';
}

}  // namespace

void append_access_line(std::string& out, AccessLog format, AccessEntry const& entry) {
  if (format == AccessLog::json) {
    out += R"({"time":")";
    append_time(out, entry.time);
    out += '"';
    append_json_member(out, "remote", entry.remote);
    append_json_member(out, "method", entry.method);
    append_json_member(out, "target", entry.target);
    fmt::format_to(std::back_inserter(out), R"(,"status":{})", entry.status);
    append_json_member(out, "subject", entry.subject);
    out += "}\n";
    return;
  }
  append_time(out, entry.time);
  fmt::format_to(std::back_inserter(out), " {} \"", entry.remote);
  append_escaped(out, entry.method);
  out += ' ';
  append_escaped(out, entry.target);
  fmt::format_to(std::back_inserter(out), "\" {} \"", entry.status);
  append_escaped(out, entry.subject);
  out += "\"\n";
}

void write_access_log(std::string_view lines) noexcept {
  // stdio locks the stream for the call, which is also where the log's own lines go.
  std::fwrite(lines.data(), 1, lines.size(), stderr);
}

std::string remote_address(int socket) {
  auto const peer = peer_address(socket);
  if (peer.family() == AF_UNIX) return "unix";
  auto text = to_string(peer);
  return text.empty() ? "unknown" : text;
}

}  // namespace deployd::server
