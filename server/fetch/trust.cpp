#include "server/fetch/trust.hpp"

#include <openssl/ssl.h>

#include "auth/key_file.hpp"
#include "server/tls/certificate.hpp"

namespace deployd::server {

namespace ssl = boost::asio::ssl;

std::shared_ptr<ssl::context> make_trust(std::optional<std::string> const& ca_file) {
  auto context = std::make_shared<ssl::context>(ssl::context::tls_client);
  SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
  context->set_verify_mode(ssl::verify_peer);
  if (!ca_file) {
    context->set_default_verify_paths();
    return context;
  }
  auto* const store = SSL_CTX_get_cert_store(context->native_handle());
  for (auto const& authority : read_certificates(auth::read_key_file(*ca_file).bytes, *ca_file))
    if (X509_STORE_add_cert(store, authority.get()) != 1)
      throw TlsError(*ca_file + ": a certificate cannot be used: " + take_openssl_reason());
  return context;
}

}  // namespace deployd::server
