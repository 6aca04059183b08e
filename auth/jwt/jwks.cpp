#include "auth/jwt/jwks.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "auth/base64url.hpp"
#include "auth/key_error.hpp"
#include "auth/strict_json.hpp"

namespace deployd::auth {
namespace {

constexpr std::size_t max_depth = 16;

struct OpenSslFree {
  void operator()(BIGNUM* number) const noexcept { BN_free(number); }
  void operator()(OSSL_PARAM_BLD* builder) const noexcept { OSSL_PARAM_BLD_free(builder); }
  void operator()(OSSL_PARAM* params) const noexcept { OSSL_PARAM_free(params); }
  void operator()(EVP_PKEY_CTX* context) const noexcept { EVP_PKEY_CTX_free(context); }
};

template <typename T>
using Owned = std::unique_ptr<T, OpenSslFree>;

std::string printable(std::string_view text) {
  std::string out(text.substr(0, 80));
  std::ranges::replace_if(
      out, [](unsigned char c) { return c < 0x20 || c == 0x7F; }, '?');
  return out;
}

/// One entry of `keys`, and its name in error messages.
class Entry {
 public:
  Entry(boost::json::object const& members, std::string name) : members_(members), name_(std::move(name)) {
    if (auto const kid = text("kid")) name_ += " (kid '" + printable(*kid) + "')";
  }

  std::string const& name() const noexcept { return name_; }

  [[noreturn]] void fail(std::string const& why) const { throw KeyError(name_ + ": " + why); }

  /// Returns a member that must be a string if it is present.
  std::optional<std::string> text(std::string_view member) const {
    auto const* const value = members_.if_contains(member);
    if (value == nullptr) return std::nullopt;
    auto const* const string = value->if_string();
    if (string == nullptr) fail("'" + std::string(member) + "' must be a string");
    return std::string(*string);
  }

  std::string required_text(std::string_view member) const {
    auto value = text(member);
    if (!value) fail("'" + std::string(member) + "' is missing");
    return *std::move(value);
  }

  /// Returns the decoded bytes of a base64url member.
  std::string bytes(std::string_view member) const {
    auto value = decode_base64url(required_text(member));
    if (!value) fail("'" + std::string(member) + "' is not base64url");
    return *std::move(value);
  }

  std::string bytes(std::string_view member, std::size_t length) const {
    auto value = bytes(member);
    if (value.size() != length) {
      fail("'" + std::string(member) + "' has " + std::to_string(value.size()) + " bytes, and must have " +
           std::to_string(length));
    }
    return value;
  }

  /// Returns a number encoded as Base64urlUInt (RFC 7518 §2).
  Owned<BIGNUM> number(std::string_view member) const {
    auto const value = bytes(member);
    if (value.empty() || value.front() == '\0') {
      fail("'" + std::string(member) + "' is no number in the fewest bytes");
    }
    Owned<BIGNUM> result(
        BN_bin2bn(reinterpret_cast<unsigned char const*>(value.data()), static_cast<int>(value.size()), nullptr));
    if (!result) throw std::bad_alloc();
    return result;
  }

  /// True if `use` and `key_ops` permit verifying signatures.
  bool checks_signatures() const {
    auto const use = text("use");
    if (use && *use != "sig") return false;
    auto const* const operations = members_.if_contains("key_ops");
    if (operations == nullptr) return true;
    auto const* const list = operations->if_array();
    if (list == nullptr || !std::ranges::all_of(*list, [](auto const& value) { return value.is_string(); })) {
      fail("'key_ops' must be an array of strings");
    }
    return std::ranges::any_of(*list, [](auto const& value) { return value.get_string() == "verify"; });
  }

 private:
  boost::json::object const& members_;
  std::string name_;
};

/// Builds an OpenSSL public key from its parts. Returns nothing if they do not form a valid key.
std::shared_ptr<EVP_PKEY> assemble(char const* kind, OSSL_PARAM_BLD* parts) {
  Owned<OSSL_PARAM> const params(OSSL_PARAM_BLD_to_param(parts));
  Owned<EVP_PKEY_CTX> const context(EVP_PKEY_CTX_new_from_name(nullptr, kind, nullptr));
  EVP_PKEY* key = nullptr;
  if (params && context && EVP_PKEY_fromdata_init(context.get()) == 1) {
    EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get());
  }
  ERR_clear_error();
  return {key, EVP_PKEY_free};
}

Key rsa_key(Entry const& entry) {
  auto const modulus = entry.number("n");
  auto const exponent = entry.number("e");
  Owned<OSSL_PARAM_BLD> const parts(OSSL_PARAM_BLD_new());
  if (!parts || OSSL_PARAM_BLD_push_BN(parts.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(parts.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get()) != 1) {
    throw std::bad_alloc();
  }
  auto key = assemble("RSA", parts.get());
  if (!key) entry.fail("'n' and 'e' are no RSA key");
  return make_public_key(std::move(key), entry.name());
}

Key ec_key(Entry const& entry, char const* group, std::size_t coordinate_bytes) {
  auto const point = '\x04' + entry.bytes("x", coordinate_bytes) + entry.bytes("y", coordinate_bytes);
  Owned<OSSL_PARAM_BLD> const parts(OSSL_PARAM_BLD_new());
  if (!parts || OSSL_PARAM_BLD_push_utf8_string(parts.get(), OSSL_PKEY_PARAM_GROUP_NAME, group, 0) != 1 ||
      OSSL_PARAM_BLD_push_octet_string(parts.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()) != 1) {
    throw std::bad_alloc();
  }
  auto key = assemble("EC", parts.get());
  if (!key) entry.fail("'x' and 'y' are no point of the curve");
  return make_public_key(std::move(key), entry.name());
}

Key edwards_key(Entry const& entry, char const* kind, std::size_t length) {
  auto const x = entry.bytes("x", length);
  std::shared_ptr<EVP_PKEY> key(EVP_PKEY_new_raw_public_key_ex(
                                    nullptr, kind, nullptr, reinterpret_cast<unsigned char const*>(x.data()), x.size()),
                                EVP_PKEY_free);
  ERR_clear_error();
  if (!key) entry.fail("'x' is no public key");
  return make_public_key(std::move(key), entry.name());
}

/// Returns the key of an entry, or nothing if its kind is not supported.
std::optional<Key> key_of(Entry const& entry) {
  auto const kty = entry.required_text("kty");
  if (kty == "oct") return make_hmac_key(entry.bytes("k"), entry.name());
  if (kty == "RSA") return rsa_key(entry);
  if (kty == "EC") {
    auto const curve = entry.required_text("crv");
    if (curve == "P-256") return ec_key(entry, "P-256", 32);
    if (curve == "P-384") return ec_key(entry, "P-384", 48);
    if (curve == "P-521") return ec_key(entry, "P-521", 66);
  }
  if (kty == "OKP") {
    auto const curve = entry.required_text("crv");
    if (curve == "Ed25519") return edwards_key(entry, "ED25519", 32);
    if (curve == "Ed448") return edwards_key(entry, "ED448", 57);
  }
  return std::nullopt;
}

std::optional<Key> read_entry(Entry const& entry) {
  auto const kid = entry.text("kid");
  auto const alg = entry.text("alg");
  auto const algorithm = alg ? algorithm_of(*alg) : std::nullopt;
  if (!entry.checks_signatures()) return std::nullopt;
  if (alg && !algorithm) return std::nullopt;  // such as RSA-OAEP: a key for another purpose
  auto key = key_of(entry);
  if (!key) return std::nullopt;
  if (algorithm && !suits(*key, *algorithm)) {
    entry.fail("the key does not suit its 'alg' " + printable(*alg));
  }
  key->only = algorithm;
  key->kid = kid;
  return key;
}

/// Returns the array `keys` of a set.
boost::json::array entries_of(std::string_view text, std::string const& file) {
  auto set = read_json_object(text, {max_depth});
  if (!set) throw KeyError(file + ": not a JSON Web Key Set: " + set.error().what);
  auto* const entries = set->if_contains("keys");
  if (entries == nullptr || !entries->is_array()) {
    throw KeyError(file + ": not a JSON Web Key Set: there is no array 'keys'");
  }
  return std::move(entries->get_array());
}

std::string name_of_entry(std::string const& file, std::size_t place) {
  return file + ": key " + std::to_string(place);
}

}  // namespace

std::vector<Key> read_jwks(std::string_view text, std::string const& file, std::size_t most_entries) {
  auto const entries = entries_of(text, file);
  if (entries.size() > most_entries) {
    throw KeyError(file + ": has " + std::to_string(entries.size()) + " keys, and may have at most " +
                   std::to_string(most_entries));
  }
  std::vector<Key> keys;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    auto const name = name_of_entry(file, i);
    auto const* const members = entries[i].if_object();
    if (members == nullptr) throw KeyError(name + ": not an object");
    if (auto key = read_entry(Entry(*members, name))) keys.push_back(*std::move(key));
  }
  return keys;
}

std::vector<std::string> private_members(std::string_view text, std::string const& file) {
  auto const entries = entries_of(text, file);
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    auto const& members = entries[i].as_object();
    std::string found;
    for (auto const* const name : {"d", "p", "q", "dp", "dq", "qi", "oth"})
      if (members.contains(name)) found += (found.empty() ? "" : ", ") + std::string(name);
    if (!found.empty()) lines.push_back(Entry(members, name_of_entry(file, i)).name() + " has " + found);
  }
  return lines;
}

}  // namespace deployd::auth
