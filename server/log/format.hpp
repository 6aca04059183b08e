// The format of lines of the log and of the access log.
#pragma once

#include <spdlog/formatter.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "routing/trace_context.hpp"

namespace deployd::server {

enum class LogFormat { text, json };

/// Creates a formatter that adds the LogFields of the logging thread to each line. Each message becomes one line of
/// UTF-8, whatever it contains, without text that looks like a secret. Lines for the journal begin with their priority.
std::unique_ptr<spdlog::formatter> make_log_formatter(LogFormat format);

/// Returns the prefix by which the journal of systemd recognises the priority of a line, as defined by sd-daemon(3);
/// the journal removes it. Empty unless stderr goes to the journal.
std::string_view journal_prefix(spdlog::level::level_enum level) noexcept;

/// Appends the time by RFC 3339, in UTC, with milliseconds.
void append_log_time(std::string& out, std::chrono::system_clock::time_point time);

/// Appends text escaped for a JSON string: without quotes and control characters, and without text that looks like a
/// secret.
void append_escaped(std::string& out, std::string_view text);

/// Returns a message for people as one line of UTF-8: control characters are escaped, and text that looks like a secret
/// is removed.
std::string one_line(std::string_view text);

/// Appends `,"name":"text"`, with the text escaped by `append_escaped`.
void append_json_member(std::string& out, std::string_view name, std::string_view text);

/// Appends the request and trace of a line as far as they are known: ` request_id=ID trace_id=ID parent_id=ID`, or JSON
/// members with these names.
void append_text_fields(std::string& out, std::string_view request_id, routing::TraceContext const& trace);
void append_json_fields(std::string& out, std::string_view request_id, routing::TraceContext const& trace);

}  // namespace deployd::server
