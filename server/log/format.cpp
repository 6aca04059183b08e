#include "server/log/format.hpp"

#include <fmt/chrono.h>
#include <spdlog/details/log_msg.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <iterator>

#include "base/json_escape.hpp"
#include "base/utf8.hpp"
#include "routing/log_fields.hpp"
#include "server/log/redaction.hpp"

namespace deployd::server {
namespace {

std::string_view view(spdlog::string_view_t text) noexcept {
  return {text.data(), text.size()};
}

/// True if stderr is the stream of JOURNAL_STREAM. It is not if it was redirected.
bool goes_to_journal() {
  auto const* const stream = std::getenv("JOURNAL_STREAM");
  struct stat status {};
  if (stream == nullptr || ::fstat(STDERR_FILENO, &status) != 0) return false;
  return stream == fmt::format("{}:{}", status.st_dev, status.st_ino);
}

/// Calls `append(name, value)` for each known field.
template <typename Append>
void each_field(std::string_view request_id, routing::TraceContext const& trace, Append append) {
  // Clients choose the ids of their requests and may put tokens into them.
  if (!request_id.empty()) append("request_id", redacted(request_id));
  if (trace.trace_id.empty()) return;
  append("trace_id", trace.trace_id);
  append("parent_id", trace.parent_id);
}

struct Control {
  unsigned code = 0;
  std::size_t bytes = 0;  // 0 if the character is none of these
};

/// Returns the character at `at` of `text`, which must be UTF-8, if it is one that JSON allows but that terminals or
/// readers of lines act on: DEL, the C1 controls, the separators of lines and paragraphs, and characters that change
/// the direction of writing (all of Unicode's Bidi_Control), which can make a line look like another one.
Control control_at(std::string_view text, std::size_t at) noexcept {
  auto const byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
  if (byte(0) < 0x7f) return {};
  if (byte(0) == 0x7f) return {0x7f, 1};
  if (byte(0) == 0xc2 && byte(1) < 0xa0) return {byte(1), 2};
  if (byte(0) == 0xd8 && byte(1) == 0x9c) return {0x061c, 2};
  if (byte(0) != 0xe2) return {};
  auto const code = 0x2000U + ((byte(1) & 0x3fU) << 6) + (byte(2) & 0x3fU);
  bool const acted_on =
      code == 0x200e || code == 0x200f || (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
  return acted_on ? Control{code, 3} : Control{};
}

/// Appends the lowest `digits` hexadecimal digits of `code`.
void append_hex(std::string& out, unsigned code, unsigned digits) {
  for (auto shift = 4 * digits; shift > 0; shift -= 4) out += "0123456789abcdef"[(code >> (shift - 4)) & 0xF];
}

/// Appends `text`, which must be UTF-8: escapes the characters found by `control_at`, and appends the text between them
/// with `append_piece`.
template <typename AppendPiece>
void append_around_controls(std::string& out, std::string_view text, AppendPiece append_piece) {
  std::size_t plain = 0;
  for (std::size_t at = 0; at < text.size();) {
    auto const control = control_at(text, at);
    if (control.bytes == 0) {
      ++at;
      continue;
    }
    append_piece(out, text.substr(plain, at - plain));
    out += "\\u";
    append_hex(out, control.code, 4);
    plain = at += control.bytes;
  }
  append_piece(out, text.substr(plain));
}

/// Escapes control characters only: messages contain quotes around names and must stay readable.
void append_printable(std::string& out, std::string_view text) {
  append_around_controls(out, text, [](std::string& to, std::string_view piece) {
    for (char const c : piece) {
      if (c == '\n') {
        to += "\\n";
      } else if (static_cast<unsigned char>(c) < 0x20) {
        to += "\\x";
        append_hex(to, static_cast<unsigned char>(c), 2);
      } else {
        to += c;
      }
    }
  });
}

/// `2026-01-31T12:00:00.000Z info message`
void append_text_line(std::string& out, spdlog::details::log_msg const& message) {
  append_log_time(out, message.time);
  fmt::format_to(std::back_inserter(out), " {} ", view(spdlog::level::to_string_view(message.level)));
  out += one_line(view(message.payload));
  if (auto const* const fields = routing::LogFields::current())
    append_text_fields(out, fields->request_id(), fields->trace());
  out += '\n';
}

/// `{"time":"2026-01-31T12:00:00.000Z","level":"info","message":"..."}`
void append_json_line(std::string& out, spdlog::details::log_msg const& message) {
  out += R"({"time":")";
  append_log_time(out, message.time);
  out += '"';
  append_json_member(out, "level", view(spdlog::level::to_string_view(message.level)));
  append_json_member(out, "message", view(message.payload));
  if (auto const* const fields = routing::LogFields::current())
    append_json_fields(out, fields->request_id(), fields->trace());
  out += "}\n";
}

class LogFormatter final : public spdlog::formatter {
 public:
  explicit LogFormatter(LogFormat format) noexcept : format_(format) {}

  void format(spdlog::details::log_msg const& message, spdlog::memory_buf_t& out) override {
    std::string line(journal_prefix(message.level));
    if (format_ == LogFormat::json)
      append_json_line(line, message);
    else
      append_text_line(line, message);
    out.append(line.data(), line.data() + line.size());
  }

  std::unique_ptr<spdlog::formatter> clone() const override { return std::make_unique<LogFormatter>(format_); }

 private:
  LogFormat format_;
};

}  // namespace

std::unique_ptr<spdlog::formatter> make_log_formatter(LogFormat format) {
  return std::make_unique<LogFormatter>(format);
}

std::string_view journal_prefix(spdlog::level::level_enum level) noexcept {
  static bool const journal = goes_to_journal();
  if (!journal) return "";
  switch (level) {
    case spdlog::level::critical:
    case spdlog::level::err: return "<3>";
    case spdlog::level::warn: return "<4>";
    case spdlog::level::info: return "<6>";
    default: return "<7>";
  }
}

void append_log_time(std::string& out, std::chrono::system_clock::time_point time) {
  auto const second = std::chrono::floor<std::chrono::seconds>(time);
  auto const milliseconds = std::chrono::floor<std::chrono::milliseconds>(time - second).count();
  fmt::format_to(std::back_inserter(out), "{:%FT%T}.{:03}Z", fmt::gmtime(std::chrono::system_clock::to_time_t(second)),
                 milliseconds);
}

std::string one_line(std::string_view text) {
  std::string line;
  append_printable(line, base::to_valid_utf8(redacted(text)));
  return line;
}

void append_escaped(std::string& out, std::string_view text) {
  append_around_controls(out, base::to_valid_utf8(redacted(text)), base::append_json_escaped);
}

void append_json_member(std::string& out, std::string_view name, std::string_view text) {
  fmt::format_to(std::back_inserter(out), R"(,"{}":")", name);
  append_escaped(out, text);
  out += '"';
}

void append_text_fields(std::string& out, std::string_view request_id, routing::TraceContext const& trace) {
  each_field(request_id, trace, [&out](std::string_view name, std::string_view value) {
    fmt::format_to(std::back_inserter(out), " {}={}", name, value);
  });
}

void append_json_fields(std::string& out, std::string_view request_id, routing::TraceContext const& trace) {
  each_field(request_id, trace,
             [&out](std::string_view name, std::string_view value) { append_json_member(out, name, value); });
}

}  // namespace deployd::server
