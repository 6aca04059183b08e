// Splits a request target (RFC 9112 §3.2).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace deployd::routing {

/// A target in origin-form or absolute-form, split but not decoded. The views are valid as long as the request.
struct Target {
  std::string_view path;                  // begins with a slash
  std::optional<std::string_view> query;  // the text after the question mark, if there is one
};

/// Splits a target. Returns nothing if it has neither form, such as `*` or the authority-form of CONNECT.
std::optional<Target> split_target(std::string_view target) noexcept;

/// A path, percent-decoded after being split, so that `%2F` stays inside its segment.
struct Path {
  // One more than any route has, so that thousands of segments are not decoded.
  static constexpr std::size_t most_segments = 8;

  std::vector<std::string> segments;  // the first `most_segments`, without an empty one after a trailing slash
  bool well_formed = true;            // false if one of them has a bad escape or is not UTF-8 (kept raw)
  bool trailing_slash = false;

  /// True under `/api/`, where every request needs a token.
  bool is_api() const noexcept;
};

Path decode_path(std::string_view path);

}  // namespace deployd::routing
