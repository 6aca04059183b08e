#include "auth/bearer_credentials.hpp"

namespace deployd::auth {
namespace {

constexpr bool is_alphanumeric(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

constexpr bool is_token68(char c) noexcept {
  return is_alphanumeric(c) || std::string_view("-._~+/").find(c) != std::string_view::npos;
}

/// True for tchar (RFC 9110 §5.6.2), the characters of a scheme.
constexpr bool is_token(char c) noexcept {
  return is_alphanumeric(c) || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

constexpr bool is_bearer(std::string_view scheme) noexcept {
  constexpr std::string_view bearer = "bearer";
  if (scheme.size() != bearer.size()) return false;
  for (std::size_t i = 0; i < bearer.size(); ++i) {
    if ((scheme[i] | 0x20) != bearer[i]) return false;
  }
  return true;
}

}  // namespace

boost::system::result<std::string_view, Fault> bearer_token(std::string_view field_value) noexcept {
  constexpr Fault no_single_token(Refusal::malformed, "the Authorization field does not have one token after 'Bearer'");

  std::size_t at = 0;
  while (at < field_value.size() && is_token(field_value[at])) ++at;
  if (!is_bearer(field_value.substr(0, at))) return Fault(Refusal::no_credentials);

  auto const spaces = at;
  while (at < field_value.size() && field_value[at] == ' ') ++at;
  if (at == spaces) return no_single_token;

  auto const token = field_value.substr(at);
  std::size_t end = 0;
  while (end < token.size() && is_token68(token[end])) ++end;
  if (end == 0) return no_single_token;
  while (end < token.size() && token[end] == '=') ++end;
  if (end != token.size()) return no_single_token;
  return token;
}

}  // namespace deployd::auth
