// SHA-256 hashes, by which API tokens are stored.
#pragma once

#include <array>
#include <string>

namespace deployd::storage {

using Sha256 = std::array<unsigned char, 32>;

/// Returns the hash in lower-case hexadecimal digits.
std::string hex(Sha256 const& hash);

}  // namespace deployd::storage
