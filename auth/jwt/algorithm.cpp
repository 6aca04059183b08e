#include "auth/jwt/algorithm.hpp"

#include <array>

namespace deployd::auth {
namespace {

constexpr std::array<std::pair<std::string_view, Algorithm>, 15> names{{
    {"HS256", Algorithm::hs256},
    {"HS384", Algorithm::hs384},
    {"HS512", Algorithm::hs512},
    {"RS256", Algorithm::rs256},
    {"RS384", Algorithm::rs384},
    {"RS512", Algorithm::rs512},
    {"PS256", Algorithm::ps256},
    {"PS384", Algorithm::ps384},
    {"PS512", Algorithm::ps512},
    {"ES256", Algorithm::es256},
    {"ES384", Algorithm::es384},
    {"ES512", Algorithm::es512},
    {"EdDSA", Algorithm::eddsa},
    {"Ed25519", Algorithm::ed25519},
    {"Ed448", Algorithm::ed448},
}};

}  // namespace

std::optional<Algorithm> algorithm_of(std::string_view name) noexcept {
  for (auto const& [known, algorithm] : names) {
    if (name == known) return algorithm;
  }
  return std::nullopt;
}

std::span<std::pair<std::string_view, Algorithm> const> all_algorithms() noexcept {
  return names;
}

std::optional<Digest> digest_of(Algorithm algorithm) noexcept {
  switch (algorithm) {
    case Algorithm::hs256:
    case Algorithm::rs256:
    case Algorithm::ps256:
    case Algorithm::es256: return Digest::sha256;
    case Algorithm::hs384:
    case Algorithm::rs384:
    case Algorithm::ps384:
    case Algorithm::es384: return Digest::sha384;
    case Algorithm::hs512:
    case Algorithm::rs512:
    case Algorithm::ps512:
    case Algorithm::es512: return Digest::sha512;
    case Algorithm::eddsa:
    case Algorithm::ed25519:
    case Algorithm::ed448: return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace deployd::auth
