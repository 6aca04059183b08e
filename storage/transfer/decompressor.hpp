// Decompresses the data of a file piece by piece.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <stdexcept>
#include <string_view>

namespace deployd::storage {

/// Thrown for data that cannot be decompressed. `what()` is the reason, for a message that begins with "NAME: ".
class CorruptData : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Decompresses consecutive members (gzip) or frames (zstd) as one text.
class Decompressor {
 public:
  virtual ~Decompressor() = default;

  struct Step {
    std::size_t taken = 0;  // bytes of the input
    std::size_t given = 0;  // bytes written to the output
  };
  /// Consumes some of the input and writes some output. After a full output there may be more without further input.
  /// Throws `CorruptData`.
  virtual Step step(std::string_view input, std::span<char> output) = 0;

  /// Throws `CorruptData` unless the data may end here.
  virtual void finish() const = 0;

  /// Returns the equivalent command: `gunzip -c`.
  virtual std::string_view command() const noexcept = 0;
};

/// Detects gzip and zstd by the first bytes of a file. Returns null for anything else.
std::unique_ptr<Decompressor> decompressor_for(std::string_view front);

}  // namespace deployd::storage
