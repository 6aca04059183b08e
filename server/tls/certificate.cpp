#include "server/tls/certificate.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <ctime>
#include <new>

#include "auth/key_file.hpp"

namespace deployd::server {
namespace {

using std::chrono::system_clock;

constexpr std::chrono::hours early_warning{14 * 24};

struct NamesFree {
  void operator()(GENERAL_NAMES* names) const noexcept { GENERAL_NAMES_free(names); }
};

OpenSslOwned<BIO> open_text(std::string_view text) {
  OpenSslOwned<BIO> source(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  if (!source) throw std::bad_alloc();
  return source;
}

/// Called if the key needs a passphrase: sets `*asked` and provides none.
int refuse_passphrase(char*, int, int, void* asked) noexcept {
  *static_cast<bool*>(asked) = true;
  return -1;
}

OpenSslOwned<EVP_PKEY> read_private_key(auth::KeyFile const& read) {
  auto const& file = read.path;
  auto const source = open_text(read.bytes);
  bool encrypted = false;
  OpenSslOwned<EVP_PKEY> key(PEM_read_bio_PrivateKey(source.get(), nullptr, refuse_passphrase, &encrypted));
  ERR_clear_error();
  if (encrypted) throw TlsError(file + ": the key is encrypted; deployd needs keys without a passphrase");
  if (!key) throw TlsError(file + ": holds no private key in PEM");
  return key;
}

std::string to_name(ASN1_STRING const* text) {
  std::string name(reinterpret_cast<char const*>(ASN1_STRING_get0_data(text)),
                   static_cast<std::size_t>(ASN1_STRING_length(text)));
  std::ranges::transform(name, name.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return name;
}

/// Returns the DNS names of a certificate; its common name only if it has no alternative names at all.
std::vector<std::string> names_of(X509* certificate) {
  std::vector<std::string> names;
  std::unique_ptr<GENERAL_NAMES, NamesFree> const alternatives(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; i < sk_GENERAL_NAME_num(alternatives.get()); ++i) {
    auto const* const name = sk_GENERAL_NAME_value(alternatives.get(), i);
    if (name->type == GEN_DNS) names.push_back(to_name(name->d.dNSName));
  }
  if (!alternatives) {
    auto* const subject = X509_get_subject_name(certificate);
    auto const at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (at >= 0) names.push_back(to_name(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at))));
  }
  std::ranges::sort(names);
  return names;
}

system_clock::time_point to_time(ASN1_TIME const* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return {};
  return system_clock::from_time_t(::timegm(&parts));
}

}  // namespace

std::vector<OpenSslOwned<X509>> read_certificates(std::string_view text, std::string const& file) {
  auto const source = open_text(text);
  std::vector<OpenSslOwned<X509>> all;
  while (true) {
    ERR_clear_error();
    OpenSslOwned<X509> certificate(PEM_read_bio_X509(source.get(), nullptr, nullptr, nullptr));
    if (!certificate) break;
    all.push_back(std::move(certificate));
  }
  auto const reason = ERR_GET_REASON(ERR_peek_last_error());
  ERR_clear_error();
  if (reason != PEM_R_NO_START_LINE) throw TlsError(file + ": a certificate in it is damaged");
  if (all.empty()) throw TlsError(file + ": holds no certificate in PEM");
  return all;
}

TlsCertificate read_tls_certificate(TlsFiles const& files) {
  TlsCertificate result;
  result.files = files;
  auto certificates = read_certificates(auth::read_key_file(files.certificate).bytes, files.certificate);
  result.own = std::move(certificates.front());
  result.chain.reset(sk_X509_new_null());
  if (!result.chain) throw std::bad_alloc();
  for (std::size_t i = 1; i < certificates.size(); ++i) {
    if (sk_X509_push(result.chain.get(), certificates[i].get()) <= 0) throw std::bad_alloc();
    std::ignore = certificates[i].release();
  }
  auto const key = auth::read_key_file(files.key);
  result.key = read_private_key(key);
  result.exposure = auth::exposure_of(key);
  auto const belongs = X509_check_private_key(result.own.get(), result.key.get()) == 1;
  ERR_clear_error();
  if (!belongs)
    throw TlsError(fmt::format("{}: is not the key of the certificate in {} (a chain begins with the server's own)",
                               files.key, files.certificate));
  result.names = names_of(result.own.get());
  return result;
}

system_clock::time_point expiry(TlsCertificate const& certificate) {
  return to_time(X509_get0_notAfter(certificate.own.get()));
}

std::optional<std::string> validity_complaint(TlsCertificate const& certificate, system_clock::time_point now) {
  auto const& file = certificate.files.certificate;
  auto const from = to_time(X509_get0_notBefore(certificate.own.get()));
  auto const until = expiry(certificate);
  auto const date = [](system_clock::time_point time) {
    return fmt::format("{:%FT%TZ}", fmt::gmtime(system_clock::to_time_t(time)));
  };
  if (until < now)
    return fmt::format("{}: the certificate has expired ({}): clients will refuse it", file, date(until));
  if (from > now) return fmt::format("{}: the certificate is good only from {}", file, date(from));
  if (until - now < early_warning) return fmt::format("{}: the certificate expires soon ({})", file, date(until));
  return std::nullopt;
}

}  // namespace deployd::server
