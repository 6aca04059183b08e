// Reading request heads off the bytes of a connection, strictly by RFC 9112.
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
  std::size_t header_bytes;  // all field lines together
  std::size_t body_bytes;
};

/// What the bytes at the beginning of a buffer are.
struct ReadResult {
  enum class State {
    incomplete,  // the head is not all there, and nothing is wrong with what is
    complete,
    refused,  // never to be understood: answer `error`, then close
  } state = State::incomplete;

  std::size_t head_bytes = 0;        // complete: the head's, empty lines before it included
  std::size_t fields_at = 0;         // complete: where its field lines begin
  std::uint64_t content_length = 0;  // complete: the bytes behind the head that belong to it
  bool close_without_body = false;   // complete: the client waits before it sends the body (Expect: 100-continue)
  routing::HttpError error{0, {}};   // refused
  routing::Method method{};          // refused: see `method_begun`
};

/// The method of the request that `bytes` begin with: what its line says as far as it has arrived and up to the first
/// space; `other` where that is no method with a meaning here. An answer to HEAD has no body, also where it is a
/// refusal.
routing::Method method_begun(std::string_view bytes) noexcept;

/// Reads one request head from the beginning of `bytes`; on `complete`, `request` has views into `bytes`.
///
/// Refused are, besides what RFC 9112 forbids: any transfer coding (501), line folding, bare LF and CR, white space
/// before a colon, more than one Content-Length or one that is no plain number, and everything over a limit.
ReadResult read_request_head(std::string_view bytes, HeadLimits const& limits, routing::Request& request);

}  // namespace deployd::server
