#include "server/keys/key_location.hpp"

namespace deployd::server {

std::string name_of(KeyLocation const& location) {
  return location.issuer ? *location.issuer : shown(location.url);
}

Url discovery_url(Url const& issuer) {
  auto url = issuer;
  if (url.target.ends_with('/')) url.target.pop_back();
  url.target += "/.well-known/openid-configuration";
  return url;
}

bool may_bring_keys(Url const& url) {
  return url.tls || is_loopback(url);
}

}  // namespace deployd::server
