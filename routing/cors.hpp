// Which pages' scripts may read the answers (Fetch standard, "HTTP-CORS protocol").
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "routing/request.hpp"

namespace deployd::routing {

/// The answer to one question: which lines an answer to this request gets.
class CorsPolicy {
 public:
  /// `origins` as given with --cors-origin; `*` among them allows every page. With `rate_limited` answers may have
  /// RateLimitFields.
  explicit CorsPolicy(std::vector<std::string> origins, bool rate_limited = false);

  /// Lines that every answer gets, whatever the request: ready for a header block, each ending in CRLF.
  std::string_view fixed_lines() const noexcept { return fixed_lines_; }

  /// True if responses differ by Origin, so that `append_lines` adds header lines.
  bool varies() const noexcept { return !any_; }

  /// The lines that depend on the request, if its origin is allowed.
  void append_lines(std::string& out, Request const& request) const;

  /// The lines that answer a preflight; nothing is appended when the request is none.
  void append_preflight_lines(std::string& out, Request const& request) const;

 private:
  bool allows(SingleField const& origin) const noexcept;

  bool any_;
  std::vector<std::string> origins_;
  std::string_view expose_line_;
  std::string fixed_lines_;
};

}  // namespace deployd::routing
