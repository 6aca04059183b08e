#include "routing/stream_body.hpp"

#include <array>
#include <charconv>

namespace deployd::routing {

StreamBody::StreamBody(std::string& out, Coding coding, bool chunked) : out_(out), chunked_(chunked) {
  if (coding != Coding::identity) compressor_ = make_compressor(coding, Effort::streamed);
}

void StreamBody::append(std::string_view piece, Compressor::Then then) {
  if (!compressor_) return append_chunk(piece);
  compressed_.clear();
  compressor_->compress(piece, then, compressed_);
  bytes_ += piece.size();
  coded_bytes_ += compressed_.size();
  append_chunk(compressed_);
}

void StreamBody::end(std::string_view piece) {
  append(piece, Compressor::Then::end);
  if (chunked_) out_ += "0\r\n\r\n";
}

void StreamBody::append_chunk(std::string_view bytes) {
  if (bytes.empty()) return;  // an empty chunk is the last one
  if (!chunked_) {
    out_ += bytes;
    return;
  }
  std::array<char, 16> size;
  auto const end = std::to_chars(size.data(), size.data() + size.size(), bytes.size(), 16).ptr;
  out_.append(size.data(), end);
  out_ += "\r\n";
  out_ += bytes;
  out_ += "\r\n";
}

}  // namespace deployd::routing
