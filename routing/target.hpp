// The request target (RFC 9112 §3.2), taken apart.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace deployd::routing {

/// A target in origin-form or absolute-form, split but not decoded. The views live as long as the request.
struct Target {
  std::string_view path;                  // begins with a slash
  std::optional<std::string_view> query;  // what follows the question mark, if there is one
};

/// Nothing when the target is of neither form. `*` is of neither, and the authority-form of CONNECT is of neither.
std::optional<Target> split_target(std::string_view target) noexcept;

/// A path, percent-decoded after being split, so that `%2F` stays inside its segment.
struct Path {
  // Of these one is more than any route has, so that nobody's thousands of segments are decoded.
  static constexpr std::size_t most_segments = 8;

  std::vector<std::string> segments;  // the first `most_segments`, without the empty one behind one trailing slash
  bool well_formed = true;            // false: a bad escape, or bytes that are not UTF-8, in one of them (kept raw)
  bool trailing_slash = false;

  /// Under `/api/`, where nothing is answered without a token.
  bool is_api() const noexcept;
};

Path decode_path(std::string_view path);

}  // namespace deployd::routing
