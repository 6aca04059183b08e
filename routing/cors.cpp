#include "routing/cors.hpp"

#include <boost/beast/http/rfc7230.hpp>

#include <algorithm>

namespace deployd::routing {
namespace {

// Fields that scripts may read in addition to those that are always allowed.
constexpr std::string_view exposed = "Access-Control-Expose-Headers: ETag, Link, Retry-After\r\n";
constexpr std::string_view exposed_with_limit =
    "Access-Control-Expose-Headers: ETag, Link, RateLimit, RateLimit-Policy, Retry-After\r\n";

bool is_token_list(std::string_view text) {
  return !text.empty() && boost::beast::http::validate_list(boost::beast::http::opt_token_list(text));
}

}  // namespace

CorsPolicy::CorsPolicy(std::vector<std::string> origins, bool rate_limited)
    : any_(std::ranges::find(origins, "*") != origins.end()),
      origins_(std::move(origins)),
      expose_line_(rate_limited ? exposed_with_limit : exposed) {
  if (any_) (fixed_lines_ = "Access-Control-Allow-Origin: *\r\n") += expose_line_;
}

void CorsPolicy::append_fixed_lines(std::string& out, std::string_view vary) const {
  if (!any_ || !vary.empty()) {
    out += "Vary: ";
    if (!any_) out += vary.empty() ? "Origin" : "Origin, ";
    out += vary;
    out += "\r\n";
  }
  out += fixed_lines_;
}

bool CorsPolicy::allows(SingleField const& origin) const noexcept {
  return origin.single() && std::ranges::find(origins_, origin.value) != origins_.end();
}

void CorsPolicy::append_lines(std::string& out, Request const& request) const {
  if (any_ || !allows(request.origin)) return;
  out += "Access-Control-Allow-Origin: ";
  out += request.origin.value;
  out += "\r\n";
  out += expose_line_;
}

void CorsPolicy::append_preflight_lines(std::string& out, Request const& request) const {
  if (!request.origin.present() || !request.access_control_request_method.present()) return;
  if (!any_ && !allows(request.origin)) return;
  out += "Access-Control-Allow-Methods: GET, HEAD\r\n";
  // `*` would not include Authorization, so the requested fields are allowed by name.
  auto const wanted = request.access_control_request_headers.value;
  out += "Access-Control-Allow-Headers: ";
  out += is_token_list(wanted) ? wanted : "Authorization";
  out += "\r\nAccess-Control-Max-Age: 7200\r\n";
}

}  // namespace deployd::routing
