// Compresses the bodies of responses.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "routing/form.hpp"

namespace deployd::routing {

/// How much time and memory is spent on a body.
enum class Effort : std::uint8_t {
  streamed,  // sent once; at most `most_stream_memory` while it is sent, which may take minutes
  kept,      // cached and sent many times, until the data change
  prepared,  // compressed once when the server starts
};

inline constexpr std::size_t most_stream_memory = std::size_t{640} << 10;

/// Compresses one body, piece by piece. Throws std::bad_alloc.
class Compressor {
 public:
  virtual ~Compressor() = default;

  enum class Then : std::uint8_t {
    go_on,  // some of the piece may be held back
    flush,  // everything so far can be decompressed
    end,    // the piece was the last one
  };

  /// Appends the compressed bytes to `out`. After `flush` and `end` of a piece that is not empty they are not empty.
  virtual void compress(std::string_view piece, Then then, std::string& out) = 0;
};

/// Returns a compressor for a body of `size` bytes; 0 if that is unknown. `coding` is not `identity`.
std::unique_ptr<Compressor> make_compressor(Coding coding, Effort effort, std::size_t size = 0);

/// Compresses a whole body at once.
std::string compressed(std::string_view body, Coding coding, Effort effort);

}  // namespace deployd::routing
