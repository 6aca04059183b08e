#include "routing/http_error.hpp"

#include <array>

#include "base/json_escape.hpp"

namespace deployd::routing {
namespace {

struct Kind {
  unsigned status;
  std::string_view reason;
  std::string_view name;  // empty if there is no error
  std::string_view class_name;
};

constexpr std::array kinds{
    Kind{200, "OK", "", ""},
    Kind{204, "No Content", "", ""},
    Kind{304, "Not Modified", "", ""},
    Kind{400, "Bad Request", "BadRequest", "bad-request"},
    Kind{401, "Unauthorized", "NotAuthenticated", "not-authenticated"},
    Kind{404, "Not Found", "NotFound", "not-found"},
    Kind{408, "Request Timeout", "Timeout", "timeout"},
    Kind{412, "Precondition Failed", "PreconditionFailed", "precondition-failed"},
    Kind{413, "Content Too Large", "ContentTooLarge", "content-too-large"},
    Kind{414, "URI Too Long", "UriTooLong", "uri-too-long"},
    Kind{417, "Expectation Failed", "ExpectationFailed", "expectation-failed"},
    Kind{429, "Too Many Requests", "TooManyRequests", "too-many-requests"},
    Kind{431, "Request Header Fields Too Large", "RequestHeaderFieldsTooLarge", "request-header-fields-too-large"},
    Kind{500, "Internal Server Error", "GeneralError", "general-error"},
    Kind{501, "Not Implemented", "NotImplemented", "not-implemented"},
    Kind{503, "Service Unavailable", "Unavailable", "unavailable"},
    Kind{505, "HTTP Version Not Supported", "HttpVersionNotSupported", "http-version-not-supported"},
};

Kind const& kind_of(unsigned status) noexcept {
  for (auto const& kind : kinds) {
    if (kind.status == status) return kind;
  }
  return kind_of(500);
}

}  // namespace

HttpError bad_request(std::string message) {
  return {400, std::move(message)};
}

HttpError not_authenticated(bool token_was_given) {
  HttpError error{401, "Not authenticated"};
  error.token_was_given = token_was_given;
  return error;
}

HttpError no_such_pattern(std::string_view name) {
  return {404, "A pattern with the name '" + std::string(name) + "' does not exist!"};
}

HttpError no_such_record(std::string_view id) {
  return {404, "No record found for id '" + std::string(id) + "'"};
}

HttpError no_such_path(std::string_view path) {
  return {404, "Path " + std::string(path) + " not found"};
}

HttpError precondition_failed() {
  return {412, "The resource does not have an ETag that If-Match names"};
}

HttpError too_many_requests(std::chrono::seconds retry_after) {
  return {429, "Too many requests", retry_after};
}

HttpError not_implemented() {
  return {501, "Not implemented"};
}

HttpError unavailable(std::string message) {
  return {503, std::move(message), std::chrono::seconds(1)};
}

std::string_view reason_phrase(unsigned status) noexcept {
  return kind_of(status).reason;
}

std::string error_body(HttpError const& error) {
  auto const& kind = kind_of(error.status);
  std::string body = R"({"name":")";
  body += kind.name;
  body += R"(","message":")";
  base::append_json_escaped(body, error.message);
  body += R"(","code":)";
  body += std::to_string(error.status);
  body += R"(,"className":")";
  body += kind.class_name;
  body += '"';
  if (!error.did_you_mean.empty()) {
    body += R"(,"data":{"didYouMean":")";
    base::append_json_escaped(body, error.did_you_mean);
    body += R"("})";
  }
  body += '}';
  return body;
}

}  // namespace deployd::routing
