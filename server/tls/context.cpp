#include "server/tls/context.hpp"

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <new>
#include <span>

#include "auth/key_file.hpp"

namespace deployd::server {
namespace {

// Mozilla's intermediate list without DHE, which is expensive for the server and not needed by any client.
constexpr auto ciphers_of_tls12 =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr auto groups = "X25519:P-256:P-384";

// In the format of RFC 7301 §3.1, the preferred first.
constexpr std::string_view protocols = "\x08http/1.1\x08http/1.0";

void require(bool done) {
  if (!done) throw TlsError("OpenSSL cannot be set up: " + take_openssl_reason());
}

unsigned char const* octets(std::string_view text) noexcept {
  return reinterpret_cast<unsigned char const*>(text.data());
}

int choose_protocol(SSL*, unsigned char const** chosen, unsigned char* length, unsigned char const* offered,
                    unsigned offered_length, void*) noexcept {
  unsigned char* found = nullptr;
  auto const result = SSL_select_next_proto(&found, length, octets(protocols), static_cast<unsigned>(protocols.size()),
                                            offered, offered_length);
  if (result != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_ALERT_FATAL;
  *chosen = found;
  return SSL_TLSEXT_ERR_OK;
}

int set_ticket_key(TlsTicketKeys::Key const& key, unsigned char const* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac,
                   bool encrypting) noexcept {
  char digest[] = "SHA256";
  auto secret = key.mac;
  std::array<OSSL_PARAM, 3> const parameters{
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, secret.data(), secret.size()),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0), OSSL_PARAM_construct_end()};
  return EVP_MAC_CTX_set_params(mac, parameters.data()) == 1 &&
                 EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), nullptr, key.cipher.data(), iv, encrypting ? 1 : 0) == 1
             ? 1
             : 0;
}

/// The callback of SSL_CTX_set_tlsext_ticket_key_evp_cb(3). Returns 1 for success, 2 for success with a new ticket
/// needed, 0 for an unknown key, -1 for failure.
int use_ticket_key(SSL* connection, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac,
                   int encrypting) noexcept {
  try {
    auto& keys = *static_cast<TlsTicketKeys*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(connection)));
    auto const now = TlsTicketKeys::Clock::now();
    if (encrypting == 0) {
      auto const found = keys.find(std::span<unsigned char const, 16>(name, 16), now);
      if (!found) return 0;
      if (set_ticket_key(found->key, iv, cipher, mac, false) != 1) return -1;
      // A client of TLS 1.3 uses a ticket once (RFC 8446 C.4), so it always gets a new one.
      return found->current && SSL_version(connection) != TLS1_3_VERSION ? 1 : 2;
    }
    auto const key = keys.current(now);
    std::ranges::copy(key.name, name);
    if (RAND_bytes(iv, EVP_MAX_IV_LENGTH) != 1) return -1;
    return set_ticket_key(key, iv, cipher, mac, true) == 1 ? 1 : -1;
  } catch (...) {
    return -1;
  }
}

/// Ignores sessions whose client certificate has expired: a full handshake then reports what is wrong with it.
SSL_TICKET_RETURN judge_ticket(SSL*, SSL_SESSION* session, unsigned char const*, std::size_t, SSL_TICKET_STATUS status,
                               void*) noexcept {
  if (status != SSL_TICKET_SUCCESS && status != SSL_TICKET_SUCCESS_RENEW) return SSL_TICKET_RETURN_IGNORE_RENEW;
  auto const* const client = SSL_SESSION_get0_peer(session);
  if (client != nullptr && X509_cmp_current_time(X509_get0_notAfter(client)) <= 0)
    return SSL_TICKET_RETURN_IGNORE_RENEW;
  return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE : SSL_TICKET_RETURN_USE_RENEW;
}

void require_client_certificates(SSL_CTX* context, std::string const& text, std::string const& file) {
  auto* const store = SSL_CTX_get_cert_store(context);
  for (auto const& authority : read_certificates(text, file)) {
    require(X509_STORE_add_cert(store, authority.get()) == 1);
    require(SSL_CTX_add_client_CA(context, authority.get()) == 1);
  }
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
}

/// Allows sessions to be resumed only if clients are verified by the same authorities as when the sessions began.
void tie_sessions_to(SSL_CTX* context, std::string const& authorities) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  auto const text = "deployd" + authorities;
  SHA256(octets(text), text.size(), digest.data());
  require(SSL_CTX_set_session_id_context(context, digest.data(), digest.size()) == 1);
}

/// Returns why OpenSSL has refused a certificate.
std::string refusal_of(TlsCertificate const& certificate) {
  if (ERR_GET_REASON(ERR_peek_last_error()) != SSL_R_EE_KEY_TOO_SMALL)
    return "cannot be used: " + take_openssl_reason();
  ERR_clear_error();
  return "the key of the certificate has " + std::to_string(EVP_PKEY_get_bits(certificate.key.get())) +
         " bits, which is too few";
}

OpenSslOwned<SSL_CTX> make_context(TlsOptions const& options, TlsTicketKeys* tickets) {
  OpenSslOwned<SSL_CTX> owned(SSL_CTX_new(TLS_server_method()));
  auto* const context = owned.get();
  require(context != nullptr);
  require(SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1);
  require(SSL_CTX_set_cipher_list(context, ciphers_of_tls12) == 1);
  require(SSL_CTX_set1_groups_list(context, groups) == 1);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(context,
                   SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(context, 1);
  SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);

  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);  // tickets need no memory and no lock on the server
  SSL_CTX_set_timeout(context, TlsTicketKeys::ticket_lifetime.count());
  SSL_CTX_set_app_data(context, tickets);
  SSL_CTX_set_tlsext_ticket_key_evp_cb(context, use_ticket_key);
  SSL_CTX_set_session_ticket_cb(context, nullptr, judge_ticket, nullptr);

  auto const authorities = options.client_ca_file ? auth::read_key_file(*options.client_ca_file).bytes : std::string();
  if (options.client_ca_file) require_client_certificates(context, authorities, *options.client_ca_file);
  tie_sessions_to(context, authorities);
  return owned;
}

bool take_certificate(SSL_CTX* context, TlsCertificate const& certificate) noexcept {
  return SSL_CTX_use_cert_and_key(context, certificate.own.get(), certificate.key.get(), certificate.chain.get(), 0) ==
         1;
}

}  // namespace

std::shared_ptr<TlsContext const> TlsContext::load(TlsOptions const& options, std::shared_ptr<TlsTicketKeys> tickets) {
  if (options.certificates.empty()) return nullptr;
  std::shared_ptr<TlsContext> const result(new TlsContext());
  result->tickets_ = std::move(tickets);
  for (auto const& files : options.certificates) result->add(read_tls_certificate(files), options);
  if (result->contexts_.size() > 1) {
    // Does the same as the macro SSL_CTX_set_tlsext_servername_callback, without its C cast.
    auto* const first = result->contexts_.front().get();
    SSL_CTX_callback_ctrl(first, SSL_CTRL_SET_TLSEXT_SERVERNAME_CB, reinterpret_cast<void (*)()>(choose_by_name));
    SSL_CTX_set_tlsext_servername_arg(first, result.get());
  }
  return result;
}

OpenSslOwned<SSL> TlsContext::accept() const {
  OpenSslOwned<SSL> connection(SSL_new(contexts_.front().get()));
  if (!connection) throw std::bad_alloc();
  SSL_set_accept_state(connection.get());
  return connection;
}

void TlsContext::add(TlsCertificate certificate, TlsOptions const& options) {
  auto* const context = context_for(certificate, options);
  for (auto const& name : certificate.names) by_name_.try_emplace(name, context);
  certificates_.push_back(std::move(certificate));
}

/// Returns the context of a certificate for the same names with a key of another kind, or a new one.
SSL_CTX* TlsContext::context_for(TlsCertificate const& certificate, TlsOptions const& options) {
  for (auto const& other : certificates_) {
    if (other.names != certificate.names || certificate.names.empty()) continue;
    auto* const context = find(other.names.front());
    bool const taken = take_certificate(context, certificate);
    ERR_clear_error();
    if (taken) return context;
  }
  auto context = make_context(options, tickets_.get());
  if (!take_certificate(context.get(), certificate))
    throw TlsError(certificate.files.certificate + ": " + refusal_of(certificate));
  return contexts_.emplace_back(std::move(context)).get();
}

int TlsContext::choose_by_name(SSL* connection, int*, void* self) noexcept {
  auto const* const name = SSL_get_servername(connection, TLSEXT_NAMETYPE_host_name);
  if (name == nullptr) return SSL_TLSEXT_ERR_NOACK;
  try {
    auto const* const context = static_cast<TlsContext const*>(self);
    std::string lower(name);
    for (auto& c : lower)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    auto* const found = context->find(lower);
    if (found == nullptr) return SSL_TLSEXT_ERR_NOACK;
    if (found != SSL_get_SSL_CTX(connection)) SSL_set_SSL_CTX(connection, found);
    return SSL_TLSEXT_ERR_OK;
  } catch (std::bad_alloc const&) {
    return SSL_TLSEXT_ERR_NOACK;
  }
}

/// Returns null if no certificate matches the name.
SSL_CTX* TlsContext::find(std::string_view name) const {
  auto found = by_name_.find(name);
  auto const dot = name.find('.');
  if (found == by_name_.end() && dot != name.npos) found = by_name_.find("*" + std::string(name.substr(dot)));
  return found == by_name_.end() ? nullptr : found->second;
}

std::map<std::string, std::chrono::system_clock::time_point> TlsContext::expiries() const {
  std::map<std::string, std::chrono::system_clock::time_point> ends;
  for (auto const& certificate : certificates_) ends[certificate.files.certificate] = expiry(certificate);
  return ends;
}

std::vector<std::string> TlsContext::complaints(std::chrono::system_clock::time_point now) const {
  std::vector<std::string> lines;
  for (auto const& certificate : certificates_)
    if (certificate.exposure) lines.push_back(*certificate.exposure);
  for (auto const& certificate : certificates_)
    if (auto line = validity_complaint(certificate, now)) lines.push_back(std::move(*line));
  return lines;
}

}  // namespace deployd::server
