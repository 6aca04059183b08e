// Parses the head of an HTTP/1.x response, limited to what a load generator needs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace deployd::bench {

/// How the body of a response ends (RFC 9112 §6.3).
enum class Framing { length, chunked, until_close };

struct ResponseHead {
  unsigned status = 0;
  std::size_t size = 0;  // bytes of the head, including its empty line
  Framing framing = Framing::until_close;
  std::uint64_t content_length = 0;  // with Framing::length
  bool keep_alive = true;
  bool json = false;   // according to Content-Type, and not coded
  bool coded = false;  // has a Content-Encoding
};

enum class ParseResult { complete, incomplete, malformed };

/// Parses the head that begins at `bytes[0]`. `head` is meaningful only if the result is `complete`. Does not allocate.
/// Assumes responses to GET: 1xx, 204 and 304 have no body, whatever their fields are.
ParseResult parse_head(std::string_view bytes, ResponseHead& head) noexcept;

/// Decodes a chunked body from pieces of any size (RFC 9112 §7.1). Ignores trailers.
class ChunkedDecoder {
 public:
  struct Step {
    ParseResult result;
    std::size_t consumed;   // bytes of the input that were used
    std::string_view data;  // the part of them that belongs to the body; a view into the input
  };

  /// Performs the next step, which yields at most one piece of data. `incomplete` with nothing consumed needs more
  /// input; `complete` ends the body and prepares the decoder for the next one.
  Step next(std::string_view bytes) noexcept;

  void reset() noexcept { *this = ChunkedDecoder(); }

 private:
  enum class State { size, data, data_end, trailer };
  State state_ = State::size;
  std::uint64_t left_ = 0;
};

}  // namespace deployd::bench
