#include "storage/transfer/import_input.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include "storage/error.hpp"
#include "storage/transfer/import_front.hpp"

namespace deployd::storage {
namespace {

constexpr std::size_t piece_bytes = 64 * 1024;

}  // namespace

ImportInput::ImportInput(ImportSource const& source) : source_(source), raw_buffer_(piece_bytes, '\0') {
  raw_ = read();
  decompressor_ = decompressor_for(raw_);
  front_.resize(import_front_bytes);
  front_.resize(fill(front_));
}

std::string_view ImportInput::decompression() const noexcept {
  return decompressor_ ? decompressor_->command() : "";
}

std::string_view ImportInput::next() {
  if (!std::exchange(front_taken_, true)) return front_;
  piece_.resize(piece_bytes);
  return std::string_view(piece_).substr(0, fill(piece_));
}

/// Fills `text` as far as possible, and returns the number of bytes.
std::size_t ImportInput::fill(std::string& text) try {
  std::size_t filled = 0;
  while (filled < text.size() && !at_end_) {
    if (raw_.empty() && !output_pending_) raw_ = read();
    at_end_ = raw_.empty() && !output_pending_;
    if (!at_end_)
      filled += take(std::span(text).subspan(filled));
    else if (decompressor_)
      decompressor_->finish();
  }
  return filled;
} catch (CorruptData const& corrupt) {
  throw Error(errc::bad_input, source_.name + ": " + corrupt.what());
}

/// Reads the next piece of the source unchanged; empty at its end.
std::string_view ImportInput::read() {
  if (!source_.stream->good()) return {};
  source_.stream->read(raw_buffer_.data(), static_cast<std::streamsize>(raw_buffer_.size()));
  if (!source_.stream->good() && !source_.stream->eof())
    throw Error(errc::bad_input, source_.name + ": cannot be read");
  auto const size = static_cast<std::size_t>(source_.stream->gcount());
  bytes_read_ += size;
  return std::string_view(raw_buffer_).substr(0, size);
}

/// Decompresses or copies the bytes that were read. Returns the number of bytes written.
std::size_t ImportInput::take(std::span<char> space) {
  Decompressor::Step step;
  if (decompressor_) {
    step = decompressor_->step(raw_, space);
    output_pending_ = step.given == space.size();
  } else {
    step.taken = step.given = raw_.copy(space.data(), space.size());
  }
  raw_.remove_prefix(step.taken);
  return step.given;
}

}  // namespace deployd::storage
