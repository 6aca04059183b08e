#include "storage/sha256.hpp"

namespace deployd::storage {

std::string hex(Sha256 const& hash) {
  constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (auto const byte : hash) {
    text += digits[byte >> 4];
    text += digits[byte & 0xF];
  }
  return text;
}

}  // namespace deployd::storage
