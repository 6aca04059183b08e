#include "routing/target.hpp"

#include <boost/beast/core/string.hpp>

#include <algorithm>

#include "base/percent_encoding.hpp"
#include "base/utf8.hpp"
#include "routing/authority.hpp"

namespace deployd::routing {
namespace {

/// Returns what follows `scheme://` in an absolute-form target, or nothing.
std::optional<std::string_view> after_scheme(std::string_view target) noexcept {
  for (std::string_view const scheme : {"http://", "https://"}) {
    if (target.size() > scheme.size() && boost::beast::iequals(target.substr(0, scheme.size()), scheme))
      return target.substr(scheme.size());
  }
  return std::nullopt;
}

}  // namespace

std::optional<Target> split_target(std::string_view target) noexcept {
  // A fragment is never sent (RFC 9110 §4.2.5), so a client that sends one interprets the target in another way.
  if (target.find('#') != std::string_view::npos) return std::nullopt;
  if (!target.starts_with('/')) {
    auto const rest = after_scheme(target);
    if (!rest) return std::nullopt;
    auto const authority_end = std::min(rest->find_first_of("/?"), rest->size());
    if (!is_http_authority(rest->substr(0, authority_end))) return std::nullopt;
    target = rest->substr(authority_end);
  }
  auto const question_mark = target.find('?');
  Target result{target.substr(0, question_mark), std::nullopt};
  if (result.path.empty()) result.path = "/";
  if (question_mark != std::string_view::npos) result.query = target.substr(question_mark + 1);
  return result;
}

Path decode_path(std::string_view path) {
  Path result;
  path.remove_prefix(1);
  if (path.ends_with('/')) {
    result.trailing_slash = true;
    path.remove_suffix(1);
  } else if (path.empty()) {
    return result;
  }
  result.segments.reserve(Path::most_segments);
  while (result.segments.size() < Path::most_segments) {
    auto const slash = path.find('/');
    auto const raw = path.substr(0, slash);
    auto decoded = base::percent_decode(raw, base::PlusSign::literal);
    if (decoded && base::is_utf8(*decoded)) {
      result.segments.push_back(std::move(*decoded));
    } else {
      result.well_formed = false;
      result.segments.emplace_back(raw);
    }
    if (slash == std::string_view::npos) break;
    path.remove_prefix(slash + 1);
  }
  return result;
}

bool Path::is_api() const noexcept {
  return !segments.empty() && segments.front() == "api" && (segments.size() > 1 || trailing_slash);
}

}  // namespace deployd::routing
