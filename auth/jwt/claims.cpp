#include "auth/jwt/claims.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "auth/strict_json.hpp"

namespace deployd::auth {
namespace {

using std::chrono::milliseconds;
using std::chrono::system_clock;

constexpr std::size_t max_depth = 16;

// Up to this number, a double represents each integer exactly.
constexpr std::int64_t max_exact = std::int64_t{1} << 53;
// In seconds. The milliseconds still fit into 64 bits.
constexpr std::int64_t max_date = max_exact;

/// The fault of the first malformed claim; empty if there is none.
class Malformed {
 public:
  void note(std::string_view what) noexcept {
    if (what_.empty()) what_ = what;
  }
  std::string_view what() const noexcept { return what_; }

 private:
  std::string_view what_;
};

/// A claim, and the fault to report if it is present but has another type.
struct Claim {
  char const* name;
  std::string_view complaint;
};
constexpr Claim iss{"iss", "iss is not a string"};
constexpr Claim jti{"jti", "jti is not a string"};
constexpr Claim sub{"sub", "sub is neither a string nor a whole number"};
constexpr Claim exp{"exp", "exp is not a date in seconds"};
constexpr Claim nbf{"nbf", "nbf is not a date in seconds"};
constexpr Claim iat{"iat", "iat is not a date in seconds"};
constexpr std::string_view not_audiences = "aud is neither a string nor an array of strings";

std::optional<std::string> read_text(boost::json::object const& claims, Claim const& claim, Malformed& malformed) {
  auto const* const value = claims.if_contains(claim.name);
  if (value == nullptr) return std::nullopt;
  auto const* const text = value->if_string();
  if (text == nullptr) {
    malformed.note(claim.complaint);
    return std::nullopt;
  }
  return std::string(*text);
}

/// Reads `sub`: a string, or an integer, which is converted to decimal text. Fractions, and numbers that a double would
/// round, are malformed: two different numbers could become one subject.
std::optional<std::string> read_subject(boost::json::object const& claims, Malformed& malformed) {
  auto const* const value = claims.if_contains(sub.name);
  if (value == nullptr || !value->is_number()) return read_text(claims, sub, malformed);
  if (auto const* const number = value->if_int64()) return std::to_string(*number);
  if (auto const* const number = value->if_uint64()) return std::to_string(*number);
  auto const number = value->get_double();
  if (std::fabs(number) < static_cast<double>(max_exact) && std::trunc(number) == number)
    return std::to_string(static_cast<std::int64_t>(number));
  malformed.note(sub.complaint);
  return std::nullopt;
}

std::optional<NumericDate> read_date(boost::json::object const& claims, Claim const& claim, Malformed& malformed) {
  auto const* const value = claims.if_contains(claim.name);
  if (value == nullptr) return std::nullopt;
  if (auto const* const seconds = value->if_int64();
      seconds != nullptr && *seconds >= -max_date && *seconds <= max_date) {
    return NumericDate(std::chrono::seconds(*seconds));
  }
  if (auto const* const seconds = value->if_double();
      seconds != nullptr && std::fabs(*seconds) <= static_cast<double>(max_date)) {
    return NumericDate(milliseconds(static_cast<std::int64_t>(std::floor(*seconds * 1000))));
  }
  malformed.note(claim.complaint);
  return std::nullopt;
}

std::vector<std::string> read_audiences(boost::json::object const& claims, Malformed& malformed) {
  auto const* const value = claims.if_contains("aud");
  if (value == nullptr) return {};
  if (auto const* const text = value->if_string()) return {std::string(*text)};
  std::vector<std::string> audiences;
  if (auto const* const list = value->if_array()) {
    for (auto const& element : *list) {
      auto const* const text = element.if_string();
      if (text == nullptr)
        malformed.note(not_audiences);
      else
        audiences.emplace_back(*text);
    }
    return audiences;
  }
  malformed.note(not_audiences);
  return {};
}

/// Returns the nearest time that the system clock can represent.
system_clock::time_point nearest(NumericDate date) noexcept {
  constexpr auto first = std::chrono::ceil<milliseconds>(system_clock::time_point::min());
  constexpr auto last = std::chrono::floor<milliseconds>(system_clock::time_point::max());
  return std::clamp(date, first, last);
}

}  // namespace

boost::system::result<JwtClaims, Fault> read_claims(std::string_view payload) {
  auto const object = read_json_object(payload, {max_depth});
  if (!object) return Fault(Refusal::malformed, "the payload is not a strict JSON object");

  Malformed malformed;
  JwtClaims claims;
  claims.issuer = read_text(*object, iss, malformed);
  claims.subject = read_subject(*object, malformed);
  claims.audiences = read_audiences(*object, malformed);
  claims.not_before = read_date(*object, nbf, malformed);
  auto const expires = read_date(*object, exp, malformed);
  read_date(*object, iat, malformed);
  read_text(*object, jti, malformed);
  if (!malformed.what().empty()) return Fault(Refusal::malformed, malformed.what());
  if (!expires) return Fault(Refusal::no_expiry);
  claims.expires = *expires;
  return claims;
}

boost::system::result<Validity, Refusal> check_claims(JwtClaims const& claims, KeyRing const& rules,
                                                      system_clock::time_point now) {
  if (rules.issuer() && claims.issuer != rules.issuer()) return Refusal::wrong_issuer;
  if (rules.audience() && std::ranges::find(claims.audiences, *rules.audience()) == claims.audiences.end()) {
    return Refusal::wrong_audience;
  }
  Validity const validity{
      .from = claims.not_before ? nearest(*claims.not_before - rules.leeway()) : system_clock::time_point::min(),
      .until = nearest(claims.expires + rules.leeway())};
  if (now >= validity.until) return Refusal::expired;
  if (now < validity.from) return Refusal::not_yet_valid;
  return validity;
}

}  // namespace deployd::auth
