// The input of an import, and its decompressed text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <istream>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "storage/transfer/decompressor.hpp"

namespace deployd::storage {

/// One input, read once from front to back. The format (JSON, NDJSON or CSV) and the compression (gzip or zstd) are
/// recognised by its first bytes.
struct ImportSource {
  std::string name;        // as shown in error messages: the file's path, or "-"
  std::istream* stream;    // not owned
  std::uint64_t size = 0;  // in bytes, 0 if unknown
};

/// Reads a source once, from front to back, in bounded memory. All members throw `Error` with `bad_input` for a source
/// that cannot be read, or that is compressed with gzip or zstd and is incomplete, corrupt, or followed by other data.
class ImportInput {
 public:
  /// Reads the beginning of the text. `source` must outlive the object.
  explicit ImportInput(ImportSource const& source);

  /// The beginning of the text that is examined to recognise its format. Only valid before `next`.
  std::string_view front() const noexcept { return front_; }
  /// True if the text is no longer than its front.
  bool ends_with_front() const noexcept { return at_end_; }

  /// Returns the next piece of the text, starting with the front; empty at its end. Valid until the next call.
  std::string_view next();

  std::string const& name() const noexcept { return source_.name; }
  /// Returns the command that decompresses the source; empty if it is not compressed.
  std::string_view decompression() const noexcept;
  /// The bytes read from the source, which are compressed bytes if it is compressed.
  std::uint64_t bytes_read() const noexcept { return bytes_read_; }

 private:
  std::size_t fill(std::string& text);
  std::string_view read();
  std::size_t take(std::span<char> space);

  ImportSource const& source_;
  std::unique_ptr<Decompressor> decompressor_;  // null if the source is not compressed
  std::string raw_buffer_;
  std::string_view raw_;         // read from the source but not used yet
  bool output_pending_ = false;  // the decompressor may have more without more input
  std::string front_;
  std::string piece_;
  std::uint64_t bytes_read_ = 0;
  bool front_taken_ = false;
  bool at_end_ = false;
};

}  // namespace deployd::storage
