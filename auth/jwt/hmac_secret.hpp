// The secret of HMAC, from its file or the environment.
#pragma once

#include <string>
#include <vector>

namespace deployd::auth {

/// A secret as it is configured; its length is not checked yet.
struct HmacSecret {
  std::string bytes;
  std::string origin;                   // what to name in error lines
  std::vector<std::string> complaints;  // what is to be said about it and how it is kept, a line each; never the secret
};

/// The bytes of a file without a byte order mark at the front and one newline at the end. Throws KeyError.
HmacSecret read_secret_file(std::string const& path);

/// A value of the environment, taken as it is.
HmacSecret secret_of_variable(std::string const& name, std::string value);

}  // namespace deployd::auth
