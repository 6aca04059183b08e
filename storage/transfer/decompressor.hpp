// Compressed data of a file, in pieces.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <stdexcept>
#include <string_view>

namespace deployd::storage {

/// Why data cannot be decompressed, in words that come behind "NAME: ".
class CorruptData : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Decompresses members (gzip) or frames (zstd) that follow each other, as one text.
class Decompressor {
 public:
  virtual ~Decompressor() = default;

  struct Step {
    std::size_t taken = 0;  // of the input
    std::size_t given = 0;  // into the output
  };
  /// Takes some of the input and gives some output; a full output may be followed by more without further input.
  /// Throws `CorruptData`.
  virtual Step step(std::string_view input, std::span<char> output) = 0;

  /// Throws `CorruptData` unless the data may end here.
  virtual void finish() const = 0;

  /// The command that does the same: `gunzip -c`.
  virtual std::string_view command() const noexcept = 0;
};

/// Tells gzip and zstd from the first bytes of a file; null for anything else.
std::unique_ptr<Decompressor> decompressor_for(std::string_view front);

}  // namespace deployd::storage
