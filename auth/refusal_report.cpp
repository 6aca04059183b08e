#include "auth/refusal_report.hpp"

#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <optional>
#include <vector>

#include "auth/base64url.hpp"
#include "auth/strict_json.hpp"

namespace deployd::auth {
namespace {

using std::chrono::seconds;
using std::chrono::system_clock;

constexpr std::size_t longest_text = 100;        // bytes of a text that are shown
constexpr std::size_t most_texts = 5;            // entries of a list that are shown
constexpr std::size_t longest_part = 64 * 1024;  // characters of a part of a token that are read
constexpr JsonLimits part_limits{.depth = 16, .members = 256};

/// Reads a part of a token. Returns an empty object if it cannot be read.
boost::json::object read_part(std::string_view part) {
  if (part.size() > longest_part) return {};
  auto const bytes = decode_base64url(part);
  if (!bytes) return {};
  auto object = read_json_object(*bytes, part_limits);
  return object ? *std::move(object) : boost::json::object();
}

/// `'a', 'b' and 3 more`
std::string listed(std::vector<std::string> const& texts) {
  std::string line;
  for (std::size_t i = 0; i < texts.size() && i < most_texts; ++i) line += (i == 0 ? "" : ", ") + texts[i];
  if (texts.size() > most_texts) line += fmt::format(" and {} more", texts.size() - most_texts);
  return line;
}

std::string shown(boost::json::value const* value) {
  if (value == nullptr) return "none";
  if (auto const* const text = value->if_string()) return in_quotes(*text);
  auto const* const list = value->if_array();
  if (list == nullptr) return "of another type";
  std::vector<std::string> texts;
  for (auto const& element : *list) {
    // Entries beyond those shown are only counted.
    auto const* const text = texts.size() < most_texts ? element.if_string() : nullptr;
    texts.push_back(text != nullptr ? in_quotes(*text) : "?");
  }
  return texts.empty() ? "none" : listed(texts);
}

/// Returns `expired 5 min ago` or `expires in 5 min`.
std::string shown_date(boost::json::value const* value, std::string_view past, std::string_view future,
                       system_clock::time_point now) {
  if (value == nullptr || !value->is_number()) return "";
  auto const date = value->is_double() ? value->get_double() : value->to_number<double>();
  auto const now_seconds = std::chrono::floor<seconds>(now).time_since_epoch().count();
  auto const left = date - static_cast<double>(now_seconds);
  auto const span = seconds(static_cast<std::int64_t>(std::min(std::fabs(left), 1e15)));
  return left > 0 ? fmt::format(", {} in {}", future, in_units(span))
                  : fmt::format(", {} {} ago", past, in_units(span));
}

std::string said_by(std::string_view token, system_clock::time_point now) {
  auto const first_dot = std::min(token.find('.'), token.size());
  auto const header = read_part(token.substr(0, first_dot));
  auto const rest = token.substr(std::min(first_dot + 1, token.size()));
  auto const payload = read_part(rest.substr(0, rest.find('.')));
  if (header.empty()) return "";
  auto line =
      fmt::format("; it says alg {}, kid {}", shown(header.if_contains("alg")), shown(header.if_contains("kid")));
  if (payload.empty()) return line;
  line += fmt::format(", iss {}, aud {}", shown(payload.if_contains("iss")), shown(payload.if_contains("aud")));
  line += shown_date(payload.if_contains("exp"), "expired", "expires", now);
  // An nbf in the past is not of interest.
  if (auto const nbf = shown_date(payload.if_contains("nbf"), "", "is valid", now); !nbf.ends_with("ago")) line += nbf;
  return line;
}

std::string expected_by(KeyRing const& ring) {
  if (ring.empty()) return "";
  std::vector<std::string> algorithms;
  auto const usable = [&](Algorithm const& algorithm) {
    return std::ranges::any_of(ring.keys(), [&](Key const& key) { return suits(key, algorithm); });
  };
  for (auto const& [name, algorithm] : all_algorithms())
    if (usable(algorithm)) algorithms.emplace_back(name);
  std::vector<std::string> kids;
  for (auto const& key : ring.keys())
    if (key.kid) kids.push_back(in_quotes(*key.kid));
  auto const rule = [](std::optional<std::string> const& text) { return text ? in_quotes(*text) : "any"; };
  return fmt::format("; expected are alg {}, kid {}, iss {}, aud {}", fmt::join(algorithms, " or "),
                     kids.empty() ? "any" : listed(kids), rule(ring.issuer()), rule(ring.audience()));
}

/// Returns a hint on how the token's kid relates to the failed signature; empty if it does not.
std::string about_kid(Refusal why, std::string_view token, KeyRing const& ring) {
  if (why != Refusal::bad_signature && why != Refusal::algorithm) return "";
  auto const header = read_part(token.substr(0, token.find('.')));
  auto const* const kid = header.if_contains("kid");
  if (kid == nullptr || !kid->is_string()) return "";
  bool const any = std::ranges::any_of(ring.keys(), [](Key const& key) { return key.kid.has_value(); });
  bool const known = std::ranges::any_of(
      ring.keys(), [&](Key const& key) { return key.kid && *key.kid == std::string_view(kid->get_string()); });
  if (known) return " (only the key with its kid was tried)";
  return any ? " (its kid is none of those that are configured)" : "";
}

}  // namespace

std::string in_quotes(std::string_view text) {
  std::string out = "'";
  for (char const c : text.substr(0, longest_text)) {
    auto const code = static_cast<unsigned char>(c);
    if (code < 0x20 || code >= 0x7F)
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", code);
    else if (c == '\'' || c == '\\')
      (out += '\\') += c;
    else
      out += c;
  }
  out += '\'';
  if (text.size() > longest_text) out += fmt::format("... ({} bytes)", text.size());
  return out;
}

std::string in_units(seconds span) {
  struct Unit {
    std::int64_t length;
    std::string_view name;
  };
  constexpr std::array units{Unit{86400 * 365, "y"}, Unit{86400, "d"}, Unit{3600, "h"}, Unit{60, "min"}, Unit{1, "s"}};
  auto const whole = span.count();
  for (std::size_t i = 0; i + 1 < units.size(); ++i) {
    if (whole < units[i].length) continue;
    auto const smaller = whole % units[i].length / units[i + 1].length;
    auto const line = fmt::format("{} {}", whole / units[i].length, units[i].name);
    return smaller == 0 ? line : line + fmt::format(" {} {}", smaller, units[i + 1].name);
  }
  return fmt::format("{} s", whole);
}

std::string report_refusal(Fault const& fault) {
  auto line = fmt::format("the token {}", in_words(fault.why));
  if (!fault.detail.empty()) line += fmt::format(": {}", fault.detail);
  return line;
}

std::string report_refusal(Fault const& fault, std::string_view token, KeyRing const& ring,
                           system_clock::time_point now) {
  if (fault.why == Refusal::malformed && token.starts_with("dpd_"))
    return report_refusal({fault.why, "it begins as an API token does, which is dpd_ and 43 base64url characters"});
  return report_refusal(fault) + about_kid(fault.why, token, ring) + said_by(token, now) + expected_by(ring);
}

std::string report_refusal(Refusal why, storage::ApiToken const& token, system_clock::time_point now) {
  auto line = fmt::format("the API token {} {} {}", token.id, in_quotes(token.name), in_words(why));
  if (why == Refusal::expired && token.expires)
    line += fmt::format(" {} ago", in_units(std::chrono::floor<seconds>(now) - *token.expires));
  return line;
}

}  // namespace deployd::auth
