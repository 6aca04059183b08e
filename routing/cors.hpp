// Decides which origins may read responses (Fetch standard, "HTTP-CORS protocol").
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "routing/request.hpp"

namespace deployd::routing {

/// Decides which CORS header lines a response gets.
class CorsPolicy {
 public:
  /// `origins` are those of --cors-origin; `*` allows every origin. If `rate_limited`, responses may have
  /// RateLimitFields.
  explicit CorsPolicy(std::vector<std::string> origins, bool rate_limited = false);

  /// Appends the lines that every response gets, independent of the request, and `Vary`. `vary` names the fields of
  /// requests, besides Origin, by which the response was chosen.
  void append_fixed_lines(std::string& out, std::string_view vary = {}) const;

  /// True if responses differ by Origin, so that `append_lines` adds header lines.
  bool varies() const noexcept { return !any_; }

  /// Appends the lines that depend on the request, if its origin is allowed.
  void append_lines(std::string& out, Request const& request) const;

  /// Appends the lines of a preflight response; nothing if the request is not a preflight.
  void append_preflight_lines(std::string& out, Request const& request) const;

 private:
  bool allows(SingleField const& origin) const noexcept;

  bool any_;
  std::vector<std::string> origins_;
  std::string_view expose_line_;
  std::string fixed_lines_;  // without Vary
};

}  // namespace deployd::routing
