// Reads request heads from the bytes of a connection, strictly by RFC 9112.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "routing/http_error.hpp"
#include "routing/request.hpp"

namespace deployd::server {

struct HeadLimits {
  std::size_t target_bytes;
  std::size_t header_bytes;  // of all field lines together
  std::size_t body_bytes;
};

/// The result of parsing the beginning of a buffer.
struct ReadResult {
  enum class State {
    incomplete,  // part of the head is missing, and nothing is wrong so far
    complete,
    refused,  // invalid: respond with `error`, then close
  } state = State::incomplete;

  std::size_t head_bytes = 0;        // complete: the size of the head, including empty lines before it
  std::size_t fields_at = 0;         // complete: where its field lines begin
  std::uint64_t content_length = 0;  // complete: the size of the body after the head
  bool close_without_body = false;   // complete: the client waits before it sends the body (Expect: 100-continue)
  routing::HttpError error{0, {}};   // refused
  routing::Method method{};          // refused: see `method_begun`
};

/// Returns the method of the request at the beginning of `bytes`, whose request line may be incomplete: the text up to
/// the first space. `other` if it is no method with a meaning here. Responses to HEAD have no body, including error
/// responses.
routing::Method method_begun(std::string_view bytes) noexcept;

/// Reads one request head from the beginning of `bytes`. If the result is `complete`, the views of `request` point into
/// `bytes`.
///
/// In addition to what RFC 9112 forbids, refuses any transfer coding (501), line folding, bare LF and CR, white space
/// before a colon, more than one Content-Length or one that is not a plain number, and everything over a limit.
ReadResult read_request_head(std::string_view bytes, HeadLimits const& limits, routing::Request& request);

}  // namespace deployd::server
