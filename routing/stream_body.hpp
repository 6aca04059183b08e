// The body of a streamed response.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "routing/compressor.hpp"
#include "routing/form.hpp"

namespace deployd::routing {

/// Compresses a body piece by piece, and splits it into chunks (RFC 9112 §7.1).
class StreamBody {
 public:
  /// Appends to `out`, which must outlive this object and may be emptied between pieces. HTTP/1.0 has no chunks.
  StreamBody(std::string& out, Coding coding, bool chunked);

  /// Appends a piece. The client can decode everything appended so far.
  void append(std::string_view piece) { append(piece, Compressor::Then::flush); }

  /// Appends the last piece, which may be empty, and the end.
  void end(std::string_view piece);

  /// Returns how many bytes of the body a byte of the appended ones stands for on average.
  double expansion() const noexcept {
    return coded_bytes_ == 0 ? 1 : static_cast<double>(bytes_) / static_cast<double>(coded_bytes_);
  }

 private:
  void append(std::string_view piece, Compressor::Then then);
  void append_chunk(std::string_view bytes);

  std::string& out_;
  bool chunked_;
  std::unique_ptr<Compressor> compressor_;  // null for identity
  std::string compressed_;
  std::uint64_t bytes_ = 0;        // appended
  std::uint64_t coded_bytes_ = 0;  // the same after compression
};

}  // namespace deployd::routing
