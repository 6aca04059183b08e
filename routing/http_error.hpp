// Errors in the format that clients of the original convert to typed errors.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace deployd::routing {

/// A response that is an error: `{"name":...,"message":...,"code":...,"className":...}`, and
/// `"data":{"didYouMean":...}` if there is a suggestion.
struct HttpError {
  unsigned status;      // a status that `reason_phrase` knows
  std::string message;  // UTF-8, for the client
  std::optional<std::chrono::seconds> retry_after = std::nullopt;
  bool token_was_given = false;        // 401: the challenge contains error="invalid_token" (RFC 6750 §3)
  std::string_view did_you_mean = {};  // static text; empty if there is no suggestion
};

HttpError bad_request(std::string message);
HttpError not_authenticated(bool token_was_given);
HttpError no_such_pattern(std::string_view name);
HttpError no_such_record(std::string_view id);
HttpError no_such_path(std::string_view path);
HttpError precondition_failed();
HttpError too_many_requests(std::chrono::seconds retry_after);
HttpError not_implemented();
HttpError unavailable(std::string message);

/// Returns the reason phrase of a status that deployd sends, such as "Not Found".
std::string_view reason_phrase(unsigned status) noexcept;

/// Returns the JSON body of an error.
std::string error_body(HttpError const& error);

}  // namespace deployd::routing
