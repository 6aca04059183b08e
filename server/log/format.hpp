// What the lines of the log and of the access log look like.
#pragma once

#include <spdlog/formatter.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "routing/trace_context.hpp"

namespace deployd::server {

enum class LogFormat { text, json };

/// Makes lines of what is logged, each bearing the LogFields of the thread that logs. Whatever a message holds, it
/// becomes one line, of UTF-8 and without what looks like a secret, which tells the journal its priority if it goes
/// there.
std::unique_ptr<spdlog::formatter> make_log_formatter(LogFormat format);

/// RFC 3339, in UTC, with milliseconds.
void append_log_time(std::string& out, std::chrono::system_clock::time_point time);

/// Appends text as it stands inside a JSON string: no quote and no control character of it is left, and nothing that
/// looks like a secret.
void append_escaped(std::string& out, std::string_view text);

/// Appends `,"name":"text"`, the text by `append_escaped`.
void append_json_member(std::string& out, std::string_view name, std::string_view text);

/// Appends what tells which request and which trace a line is about, where it is known: ` request_id=ID trace_id=ID
/// parent_id=ID`, or the members of these names.
void append_text_fields(std::string& out, std::string_view request_id, routing::TraceContext const& trace);
void append_json_fields(std::string& out, std::string_view request_id, routing::TraceContext const& trace);

}  // namespace deployd::server
