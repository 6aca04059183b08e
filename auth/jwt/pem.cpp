#include "auth/jwt/pem.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>
#include <optional>

#include "auth/key_error.hpp"

namespace deployd::auth {
namespace {

struct OpenSslFree {
  void operator()(BIO* bio) const noexcept { BIO_free(bio); }
  void operator()(X509* certificate) const noexcept { X509_free(certificate); }
  void operator()(char* memory) const noexcept { OPENSSL_free(memory); }
  void operator()(unsigned char* memory) const noexcept { OPENSSL_free(memory); }
};

template <typename T>
using Owned = std::unique_ptr<T, OpenSslFree>;

struct Block {
  std::string label;  // such as `PUBLIC KEY`
  std::string der;
};

/// Returns the next block, or nothing if only text follows.
std::optional<Block> next_block(BIO* source, std::string const& file) {
  char* label = nullptr;
  char* header = nullptr;
  unsigned char* der = nullptr;
  long length = 0;
  bool const read = PEM_read_bio(source, &label, &header, &der, &length) == 1;
  Owned<char> const label_owner(label);
  Owned<char> const header_owner(header);
  Owned<unsigned char> const der_owner(der);
  auto const reason = ERR_GET_REASON(ERR_peek_last_error());
  ERR_clear_error();
  if (read) {
    return Block{std::string(label), std::string(reinterpret_cast<char*>(der), static_cast<std::size_t>(length))};
  }
  if (reason != PEM_R_NO_START_LINE) throw KeyError(file + ": the PEM is damaged");
  return std::nullopt;
}

std::shared_ptr<EVP_PKEY> decode(Block const& block, std::string const& file) {
  auto const* at = reinterpret_cast<unsigned char const*>(block.der.data());
  auto const* const end = at + block.der.size();
  auto const length = static_cast<long>(block.der.size());
  EVP_PKEY* key = nullptr;
  if (block.label == "PUBLIC KEY") {
    key = d2i_PUBKEY(nullptr, &at, length);
  } else if (block.label == "RSA PUBLIC KEY") {
    key = d2i_PublicKey(EVP_PKEY_RSA, nullptr, &at, length);
  } else if (block.label == "CERTIFICATE") {
    Owned<X509> const certificate(d2i_X509(nullptr, &at, length));
    if (certificate) key = X509_get_pubkey(certificate.get());
  } else if (block.label.ends_with("PRIVATE KEY")) {
    throw KeyError(file + ": contains a private key; give only the public key (openssl pkey -pubout)");
  } else {
    throw KeyError(file + ": holds a PEM block '" + block.label + "', which is no public key");
  }
  ERR_clear_error();
  std::shared_ptr<EVP_PKEY> owned(key, EVP_PKEY_free);
  if (!owned || at != end) throw KeyError(file + ": the block '" + block.label + "' cannot be decoded");
  return owned;
}

}  // namespace

std::vector<Key> read_pem(std::string_view text, std::string const& file) {
  Owned<BIO> const source(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  if (!source) throw std::bad_alloc();
  std::vector<Key> keys;
  while (auto const block = next_block(source.get(), file)) keys.push_back(make_public_key(decode(*block, file), file));
  if (keys.empty()) throw KeyError(file + ": holds no public key in PEM");
  return keys;
}

}  // namespace deployd::auth
