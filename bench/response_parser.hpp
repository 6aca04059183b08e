// Reading the head of an HTTP/1.x response: as little of it as a load generator needs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace deployd::bench {

/// How the body of a response ends (RFC 9112 §6.3).
enum class Framing { length, chunked, until_close };

struct ResponseHead {
  unsigned status = 0;
  std::size_t size = 0;  // bytes of the head, its empty line included
  Framing framing = Framing::until_close;
  std::uint64_t content_length = 0;  // with Framing::length
  bool keep_alive = true;
  bool json = false;  // Content-Type says so
};

enum class ParseResult { complete, incomplete, malformed };

/// Reads the head that begins at `bytes[0]`. `head` is meaningful only when the result is `complete`. Allocates
/// nothing. Answers to GET are assumed: 1xx, 204 and 304 have no body, whatever the fields say.
ParseResult parse_head(std::string_view bytes, ResponseHead& head) noexcept;

/// Takes a chunked body apart, in pieces of any size (RFC 9112 §7.1). Trailers are passed over.
class ChunkedDecoder {
 public:
  struct Step {
    ParseResult result;
    std::size_t consumed;   // bytes of the input that are done with
    std::string_view data;  // what of them is body; part of the input
  };

  /// Takes the next step: at most one piece of data. `incomplete` with nothing consumed wants more input; `complete`
  /// ends the body and makes the decoder ready for the next.
  Step next(std::string_view bytes) noexcept;

  void reset() noexcept { *this = ChunkedDecoder(); }

 private:
  enum class State { size, data, data_end, trailer };
  State state_ = State::size;
  std::uint64_t left_ = 0;
};

}  // namespace deployd::bench
