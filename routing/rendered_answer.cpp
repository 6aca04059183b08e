#include "routing/rendered_answer.hpp"

#include <xxhash.h>

#include <array>
#include <charconv>
#include <cstring>
#include <utility>

namespace deployd::routing {
namespace {

constexpr std::string_view ok_line = "HTTP/1.1 200 OK\r\n";
constexpr std::string_view date_name = "Date: ";
constexpr std::string_view no_date = "Thu, 01 Jan 1970 00:00:00 GMT";
constexpr std::string_view not_sniffed = "X-Content-Type-Options: nosniff\r\n";
constexpr std::string_view kept_private = "Cache-Control: private, no-cache\r\n";
constexpr std::string_view not_kept = "Cache-Control: no-store\r\n";
constexpr std::size_t date_at = ok_line.size() + date_name.size();

/// Bodies from this size on are sent from the cache instead of being copied.
constexpr std::size_t shared_body_size = 32 * 1024;

void append_number(std::string& out, std::size_t number) {
  std::array<char, 20> digits;
  auto const end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), end);
}

void append_content_type(std::string& out, std::string_view type) {
  out += "Content-Type: ";
  out += type;
  out += "\r\n";
}

void append_content_encoding(std::string& out, Coding coding) {
  if (coding == Coding::identity) return;
  out += "Content-Encoding: ";
  out += to_string(coding);
  out += "\r\n";
}

void append_content_length(std::string& out, std::size_t length) {
  out += "Content-Length: ";
  append_number(out, length);
  out += "\r\n";
}

void append_link(std::string& out, std::string_view link) {
  if (link.empty()) return;
  out += "Link: <";
  out += link;
  out += ">; rel=\"next\"\r\n";
}

void append_status_line(std::string& out, unsigned status, Moment const& moment) {
  out += "HTTP/1.1 ";
  append_number(out, status);
  out += ' ';
  out += reason_phrase(status);
  out += "\r\n";
  out += date_name;
  out += moment.http_date;
  out += "\r\n";
}

/// Returns the Connection line; empty if the default of the version applies (RFC 9112 §9.3).
std::string_view connection_line(Request const& request) noexcept {
  if (!request.keep_alive) return "Connection: close\r\n";
  return request.http_1_1 ? std::string_view() : "Connection: keep-alive\r\n";
}

/// Appends the end of a header block: the lines that depend on the request, and the empty line.
void append_request_lines(std::string& out, Request const& request, CorsPolicy const& cors) {
  cors.append_lines(out, request);
  out += request.limit_lines;
  out += connection_line(request);
  out += "\r\n";
}

/// True if `is_named` is true for one of the entity-tags of a list; it gets each tag including its `W/`. Tags may
/// contain commas, so the list is parsed tag by tag, up to the first invalid one.
template <typename IsNamed>
bool any_tag(std::string_view list, IsNamed is_named) noexcept {
  while (true) {
    auto const start = list.find_first_not_of(", \t");
    if (start == std::string_view::npos) return false;
    list.remove_prefix(start);
    auto const quote = list.starts_with("W/") ? std::size_t{2} : std::size_t{0};
    if (!list.substr(quote).starts_with('"')) return false;
    auto const end = list.find('"', quote + 1);
    if (end == std::string_view::npos) return false;
    if (is_named(list.substr(0, end + 1))) return true;
    list.remove_prefix(end + 1);
  }
}

}  // namespace

std::string make_etag(std::string_view body) {
  auto const hash = XXH3_128bits(body.data(), body.size());
  std::string etag = "\"";
  for (auto const half : {hash.high64, hash.low64}) {
    for (int shift = 60; shift >= 0; shift -= 4) etag += "0123456789abcdef"[(half >> shift) & 0xF];
  }
  return etag += '"';
}

RenderedAnswer render_answer(Representation representation, CorsPolicy const& cors) {
  RenderedAnswer answer;
  auto& body = representation.body;
  answer.etag = make_etag(body);
  answer.gains_by_coding = body.size() >= shortest_coded_body;
  std::string head;
  head.reserve(512 + representation.link.size() + representation.extra_lines.size());
  head += ok_line;
  head += date_name;
  head += no_date;
  head += "\r\n";
  append_content_type(head, representation.content_type);
  append_content_encoding(head, representation.coding);
  append_content_length(head, body.size());
  answer.validators_at = static_cast<std::uint32_t>(head.size());
  head += "ETag: ";
  head += answer.etag;
  head += "\r\n";
  head += kept_private;
  head += not_sniffed;
  head += representation.extra_lines;
  append_link(head, representation.link);
  cors.append_fixed_lines(head, representation.vary);
  head += "\r\n";
  answer.body_at = static_cast<std::uint32_t>(head.size());
  auto const size = head.size() + body.size();
  if (body.capacity() < size || body.capacity() - size > size / 4) {
    // It may be cached for long, or wait for a slow reader, so it must not use more memory than necessary.
    head.reserve(size);
    head += body;
    answer.bytes = std::move(head);
  } else {
    answer.bytes = std::move(body);
    answer.bytes.insert(0, head);
  }
  return answer;
}

Prepared prepare(Representation representation, CorsPolicy const& cors) {
  return std::make_shared<RenderedAnswer const>(render_answer(std::move(representation), cors));
}

unsigned append_answer(Output& out, std::shared_ptr<RenderedAnswer const> const& answer, Request const& request,
                       Moment const& moment, CorsPolicy const& cors) {
  auto& bytes = out.bytes;
  std::string_view const kept = answer->bytes;
  if (request.if_match.present() && forbidden_by_if_match(request.if_match, answer->etag)) [[unlikely]] {
    append_error(out, precondition_failed(), request, moment, cors);
    return 412;
  }
  if (request.if_none_match.single() && names_etag(request.if_none_match.value, answer->etag)) {
    append_status_line(bytes, 304, moment);
    bytes += kept.substr(answer->validators_at, answer->body_at - 2 - answer->validators_at);
    append_request_lines(bytes, request, cors);
    return 304;
  }

  bool const as_rendered = request.keep_alive && request.http_1_1 && request.limit_lines.empty() && !cors.varies();
  bool const whole = request.method != Method::head;
  bool const shared = whole && kept.size() - answer->body_at >= shared_body_size;
  auto const start = bytes.size();
  if (as_rendered) {
    bytes += whole && !shared ? kept : kept.substr(0, answer->body_at);
  } else {
    bytes += kept.substr(0, answer->body_at - 2);
    append_request_lines(bytes, request, cors);
    if (whole && !shared) bytes += kept.substr(answer->body_at);
  }
  std::memcpy(bytes.data() + start + date_at, moment.http_date.data(), no_date.size());
  if (shared) {
    out.tail = std::shared_ptr<std::string const>(answer, &answer->bytes);
    out.tail_offset = answer->body_at;
  }
  return 200;
}

void append_error(Output& out, HttpError const& error, Request const& request, Moment const& moment,
                  CorsPolicy const& cors, std::string_view extra_lines) {
  auto const body = error_body(error);
  auto& bytes = out.bytes;
  append_status_line(bytes, error.status, moment);
  append_content_type(bytes, json_type);
  append_content_length(bytes, body.size());
  if (error.status == 401)
    bytes +=
        error.token_was_given ? "WWW-Authenticate: Bearer error=\"invalid_token\"\r\n" : "WWW-Authenticate: Bearer\r\n";
  if (error.status == 501) bytes += "Allow: GET, HEAD, OPTIONS\r\n";
  if (error.retry_after) {
    bytes += "Retry-After: ";
    append_number(bytes, static_cast<std::size_t>(error.retry_after->count()));
    bytes += "\r\n";
  }
  bytes += not_kept;
  bytes += not_sniffed;
  bytes += extra_lines;
  cors.append_fixed_lines(bytes);
  append_request_lines(bytes, request, cors);
  if (request.method != Method::head) bytes += body;
}

void append_options_answer(Output& out, Request const& request, Moment const& moment, CorsPolicy const& cors) {
  auto& bytes = out.bytes;
  append_status_line(bytes, 204, moment);
  bytes += "Allow: GET, HEAD, OPTIONS\r\n";
  cors.append_fixed_lines(bytes);
  cors.append_preflight_lines(bytes, request);
  append_request_lines(bytes, request, cors);
}

void append_stream_head(Output& out, StreamedList const& list, Request const& request, Moment const& moment,
                        CorsPolicy const& cors) {
  auto& bytes = out.bytes;
  append_status_line(bytes, 200, moment);
  append_content_type(bytes, list.content_type);
  append_content_encoding(bytes, list.coding);
  if (request.http_1_1) bytes += "Transfer-Encoding: chunked\r\n";
  bytes += kept_private;
  bytes += not_sniffed;
  append_link(bytes, list.link);
  cors.append_fixed_lines(bytes, vary_by_form);
  auto as_streamed = request;
  as_streamed.keep_alive = request.keep_alive && request.http_1_1;
  append_request_lines(bytes, as_streamed, cors);
}

bool names_etag(std::string_view if_none_match, std::string_view etag) noexcept {
  if (if_none_match == "*") return true;
  return any_tag(if_none_match,
                 [&](std::string_view tag) { return (tag.starts_with("W/") ? tag.substr(2) : tag) == etag; });
}

bool forbidden_by_if_match(SingleField const& if_match, std::string_view etag) noexcept {
  // If there are several lines, only the last is known, so the complete list is unknown.
  if (!if_match.single()) return if_match.present();
  if (if_match.value == "*") return false;
  return !any_tag(if_match.value, [&](std::string_view tag) { return tag == etag; });
}

}  // namespace deployd::routing
