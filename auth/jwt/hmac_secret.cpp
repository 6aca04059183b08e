#include "auth/jwt/hmac_secret.hpp"

#include <optional>
#include <string_view>
#include <utility>

#include "auth/key_file.hpp"
#include "base/byte_order_mark.hpp"

namespace deployd::auth {
namespace {

/// Names the white space at the end of a secret that an editor or shell may have added; empty if there is none.
std::string_view stray_end(std::string_view secret) noexcept {
  if (secret.empty()) return "";
  switch (secret.back()) {
    case '\r': return "a carriage return";
    case '\n': return "a newline";
    case ' ': return "a space";
    case '\t': return "a tab";
    default: return "";
  }
}

void complain_of_end(HmacSecret& secret) {
  auto const end = stray_end(secret.bytes);
  if (end.empty()) return;
  secret.complaints.push_back(secret.origin + ": the secret ends in " + std::string(end) +
                              ", which counts as part of it; remove it here, unless those who sign count it too");
}

}  // namespace

HmacSecret read_secret_file(std::string const& path) {
  auto file = read_key_file(path);
  HmacSecret secret{std::move(file.bytes), path, {}};
  if (secret.bytes.ends_with('\n')) secret.bytes.pop_back();
  if (file.had_byte_order_mark)
    secret.complaints.push_back(path + ": begins with a byte order mark, which does not count as part of the secret");
  complain_of_end(secret);
  if (auto exposure = exposure_of(file)) secret.complaints.push_back(*std::move(exposure));
  return secret;
}

HmacSecret secret_of_variable(std::string const& name, std::string value) {
  HmacSecret secret{std::move(value), name, {}};
  if (secret.bytes.starts_with(base::byte_order_mark))
    secret.complaints.push_back(name + ": the secret begins with a byte order mark, which counts as part of it");
  complain_of_end(secret);
  return secret;
}

}  // namespace deployd::auth
