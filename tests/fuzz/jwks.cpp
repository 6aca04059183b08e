// JWKS files: keys, or an error of one line that names the file.
#include <cstdint>
#include <string_view>

#include "auth/jwt/jwks.hpp"
#include "auth/key_error.hpp"
#include "tests/fuzz/expect.hpp"

using deployd::tests::expect;

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::string_view const text(reinterpret_cast<char const*>(data), size);
  try {
    for (auto const& key : deployd::auth::read_jwks(text, "keys.json"))
      expect(key.kind == deployd::auth::KeyKind::hmac ? key.secret.size() >= deployd::auth::min_secret_bytes
                                                      : key.public_key != nullptr,
             "a key that is taken can check something");
  } catch (deployd::auth::KeyError const& error) {
    std::string_view const line = error.what();
    expect(line.find("keys.json") != std::string_view::npos, "the error names the file");
    expect(line.find('\n') == std::string_view::npos, "the error is one line");
  }
  return 0;
}
