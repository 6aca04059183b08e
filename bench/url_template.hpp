// A request target with ranges: `/deployments/{1..5000}`.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace deployd::bench {

/// Text in which each `{A..B}` (decimal, A <= B) is replaced by A for the first request, A+1 for the next, and by A
/// again after B. Braces without a valid range are kept.
class UrlTemplate {
 public:
  UrlTemplate() = default;

  /// Throws `std::invalid_argument` if a range has A > B or does not fit 64 bits.
  explicit UrlTemplate(std::string const& text);

  /// Appends the text for request number `index`, counted from 0.
  void append_to(std::string& out, std::uint64_t index) const;

 private:
  struct Range {
    std::string before;  // the text between the previous range and this one
    std::uint64_t first;
    std::uint64_t last;
  };
  std::vector<Range> ranges_;
  std::string rest_;
};

}  // namespace deployd::bench
