// Where requests go: `http://host:port/target`, or `https`, whose target may hold ranges.
#pragma once

#include <string>
#include <string_view>

#include "bench/url_template.hpp"

namespace deployd::bench {

struct Url {
  bool secure = false;    // https
  std::string host;       // a name or a numeric address, without the brackets of IPv6
  std::string port;       // decimal, 80 or 443 when the URL names none
  std::string authority;  // as it stands in the URL: the value of Host
  UrlTemplate target;
};

/// Reads an absolute `http` or `https` URL. Throws `std::invalid_argument` with the reason.
Url parse_url(std::string_view text);

}  // namespace deployd::bench
