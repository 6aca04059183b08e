// Checks a response body: the bytes are as expected, and a body of a JSON type is valid JSON.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/failure.hpp"

namespace deployd::bench {

/// Checks bodies for one thread. Parsing the same bytes repeatedly would cost more than the rest of the generator, so
/// the 128-bit hashes of valid bodies are remembered and only new bodies are parsed.
class BodyCheck {
 public:
  /// `expected` is nothing if any body is accepted. It must outlive the check.
  explicit BodyCheck(std::optional<std::string> const& expected);

  /// Checks a complete body. Returns what is wrong with it, if anything.
  std::optional<Failure> whole(std::string_view body, bool json);

  std::optional<std::string> const& expected() const noexcept { return expected_; }

 private:
  struct Hash {
    std::uint64_t low;
    std::uint64_t high;
  };
  std::optional<std::string> const& expected_;
  std::vector<Hash> parsed_;  // direct-mapped by the low bits; a slot keeps the latest
};

/// Checks a body that arrives in pieces. Bodies up to a limit are collected and then checked as a whole. Longer ones
/// are checked as they arrive, so that responses may have any size.
class PiecewiseBodyCheck {
 public:
  PiecewiseBodyCheck();
  ~PiecewiseBodyCheck();

  void begin(bool json);
  void add(std::string_view piece, BodyCheck& check);
  /// Ends the body. Returns what is wrong with it, if anything.
  std::optional<Failure> finish(BodyCheck& check);

 private:
  struct Stream;
  void stream(std::string_view piece, BodyCheck const& check);

  bool json_ = false;
  std::string collected_;
  std::unique_ptr<Stream> stream_;
};

}  // namespace deployd::bench
