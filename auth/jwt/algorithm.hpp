// The signature algorithms of JWTs (RFC 7518 §3.1, RFC 8037 §3.1, RFC 9864 §2.2). `none` is not among them.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

namespace deployd::auth {

enum class Algorithm : unsigned char {
  hs256,
  hs384,
  hs512,
  rs256,
  rs384,
  rs512,
  ps256,
  ps384,
  ps512,
  es256,
  es384,
  es512,
  eddsa,    // either of the next two, depending on the key
  ed25519,  // names defined by RFC 9864
  ed448,
};

enum class Digest : unsigned char { sha256, sha384, sha512 };

/// Returns the algorithm with this `alg` value, which is case-sensitive, or nothing if there is none.
std::optional<Algorithm> algorithm_of(std::string_view name) noexcept;

/// Returns every algorithm with its `alg` value.
std::span<std::pair<std::string_view, Algorithm> const> all_algorithms() noexcept;

/// True if the algorithm uses a shared secret.
constexpr bool is_hmac(Algorithm algorithm) noexcept {
  return algorithm == Algorithm::hs256 || algorithm == Algorithm::hs384 || algorithm == Algorithm::hs512;
}

/// True if the algorithm is EdDSA under any of its names.
constexpr bool is_edwards(Algorithm algorithm) noexcept {
  return algorithm == Algorithm::eddsa || algorithm == Algorithm::ed25519 || algorithm == Algorithm::ed448;
}

/// Returns the hash that an algorithm uses, or nothing for EdDSA, which includes its own.
std::optional<Digest> digest_of(Algorithm algorithm) noexcept;

/// Returns the number of bytes of a hash.
constexpr std::size_t size_of(Digest digest) noexcept {
  return digest == Digest::sha256 ? 32 : digest == Digest::sha384 ? 48 : 64;
}

}  // namespace deployd::auth
