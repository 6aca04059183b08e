// Reads the HMAC secret from a file or the environment.
#pragma once

#include <string>
#include <vector>

namespace deployd::auth {

/// A secret as configured. Its length has not been checked yet.
struct HmacSecret {
  std::string bytes;
  std::string origin;                   // the file or variable, for error messages
  std::vector<std::string> complaints;  // warnings about it and how it is stored, one line each; never the secret
};

/// Reads a file, without a byte order mark at the beginning and one newline at the end. Throws KeyError.
HmacSecret read_secret_file(std::string const& path);

/// Uses the value of an environment variable unchanged.
HmacSecret secret_of_variable(std::string const& name, std::string value);

}  // namespace deployd::auth
