// Errors in the form that the original's clients turn into typed errors.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace deployd::routing {

/// An answer that is an error: `{"name":...,"message":...,"code":...,"className":...}`.
struct HttpError {
  unsigned status;      // one of those that `reason_phrase` knows
  std::string message;  // UTF-8; for the client to read
  std::optional<std::chrono::seconds> retry_after = std::nullopt;
  bool token_was_given = false;  // 401: the challenge says error="invalid_token" (RFC 6750 §3)
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

/// The reason phrase of a status that deployd sends, as "Not Found".
std::string_view reason_phrase(unsigned status) noexcept;

/// The JSON body of an error.
std::string error_body(HttpError const& error);

}  // namespace deployd::routing
