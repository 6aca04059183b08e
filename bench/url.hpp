// Parses `http://host:port/target` or `https`; the target may contain ranges.
#pragma once

#include <string>
#include <string_view>

#include "bench/url_template.hpp"

namespace deployd::bench {

struct Url {
  bool secure = false;    // https
  std::string host;       // a name or a numeric address, without the brackets of IPv6
  std::string port;       // decimal; 80 or 443 if the URL has none
  std::string authority;  // as in the URL: the value of Host
  UrlTemplate target;
};

/// Parses an absolute `http` or `https` URL. Throws `std::invalid_argument` with the reason.
Url parse_url(std::string_view text);

}  // namespace deployd::bench
