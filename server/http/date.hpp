// The value of the Date field, rendered once per second.
#pragma once

#include <array>
#include <chrono>
#include <string_view>

namespace deployd::server {

/// An IMF-fixdate (RFC 9110 §5.6.7) that is updated when the second changes.
class HttpDate {
 public:
  /// Returns the date of `now`: 29 characters, valid until the next call.
  std::string_view at(std::chrono::system_clock::time_point now) noexcept {
    if (now < second_begins_ || now >= second_ends_) [[unlikely]]
      render(std::chrono::floor<std::chrono::seconds>(now));
    return {text_.data(), text_.size()};
  }

 private:
  void render(std::chrono::sys_seconds second) noexcept;

  // The second of `text_`. Comparing with it avoids a division per call.
  std::chrono::system_clock::time_point second_begins_{};
  std::chrono::system_clock::time_point second_ends_{};
  std::array<char, 29> text_{};
};

}  // namespace deployd::server
