// A response as bytes, in the form in which it is cached and sent.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "routing/cors.hpp"
#include "routing/http_error.hpp"
#include "routing/output.hpp"
#include "routing/request.hpp"
#include "routing/response.hpp"

namespace deployd::routing {

/// A 200 with a known length: its header block, for HTTP/1.1 on a connection that stays open, and its body, in one
/// string. Only the date must be inserted before it is sent:
///
///      HTTP/1.1 200 OK CRLF
///      Date: (29 characters) CRLF
///      Content-Type, Content-Encoding, Content-Length
///      ETag, Cache-Control, Link, Vary, CORS    <- validators_at
///      CRLF
///      body                                     <- body_at
struct RenderedAnswer {
  std::string bytes;
  std::uint32_t validators_at = 0;
  std::uint32_t body_at = 0;
  RouteLabel route = no_route;
  std::string etag;             // including its quotes
  bool gains_by_coding = true;  // false: too short, so the answer to every Accept-Encoding that allows identity

  std::string_view body() const noexcept { return std::string_view(bytes).substr(body_at); }
};

/// Returns a strong validator of the content: equal bodies have equal validators, on every worker and after every
/// restart.
std::string make_etag(std::string_view body);

/// Renders a 200, reusing the memory of the body.
RenderedAnswer render_answer(Representation representation, CorsPolicy const& cors);

/// Renders a 200 that never changes, to be sent any number of times.
Prepared prepare(Representation representation, CorsPolicy const& cors);

/// Appends `answer` in the form for `request`: whole, without its body for HEAD, as 304 if `If-None-Match` contains its
/// validator, or as 412 if `If-Match` does not (RFC 9110 §13.2.2). Returns the status. The warm path: for an ordinary
/// GET it is one copy of bytes.
unsigned append_answer(Output& out, std::shared_ptr<RenderedAnswer const> const& answer, Request const& request,
                       Moment const& moment, CorsPolicy const& cors);

/// Appends an error. `extra_lines` are the caller's header lines, each ending in CRLF.
void append_error(Output& out, HttpError const& error, Request const& request, Moment const& moment,
                  CorsPolicy const& cors, std::string_view extra_lines = {});

/// Appends a 204 with `Allow` and, for a CORS preflight, the requested permissions.
void append_options_answer(Output& out, Request const& request, Moment const& moment, CorsPolicy const& cors);

/// Appends the header block of a streamed list: chunked, or until the end of the connection for HTTP/1.0.
void append_stream_head(Output& out, StreamedList const& list, Request const& request, Moment const& moment,
                        CorsPolicy const& cors);

/// True if an If-None-Match value contains `etag` (RFC 9110 §13.1.2, weak comparison).
bool names_etag(std::string_view if_none_match, std::string_view etag) noexcept;

/// True if the If-Match field of a request forbids a response with this validator (RFC 9110 §13.1.1, strong
/// comparison). `etag` is empty for a response without one.
bool forbidden_by_if_match(SingleField const& if_match, std::string_view etag) noexcept;

}  // namespace deployd::routing
