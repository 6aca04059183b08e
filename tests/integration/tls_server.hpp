// deployd with a certificate, and clients that trust it.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "tests/certificates.hpp"
#include "tests/integration/running_deployd.hpp"
#include "tests/integration/tls_client.hpp"

namespace deployd::tests {

/// The files that --tls-cert and --tls-key name.
class TlsFilesOnDisk {
 public:
  explicit TlsFilesOnDisk(CertificateWish const& wish = {}) { issue(wish); }

  /// Puts another certificate, or another key, into the files.
  void write(CertificateAndKey const& pair) {
    certificate = directory.write("cert.pem", pair.certificate);
    key = directory.write("key.pem", pair.key);
  }
  void issue(CertificateWish const& wish) { write(authority.issue(wish)); }

  std::vector<std::string> options(std::vector<std::string> more = {}) const {
    for (auto const& word : {key, std::string("--tls-key"), certificate, std::string("--tls-cert")})
      more.insert(more.begin(), word);
    return more;
  }

  CertificateAuthority authority;
  TemporaryDirectory directory;
  std::string certificate;
  std::string key;
};

/// A server with a certificate for `localhost`.
struct TlsServer {
  explicit TlsServer(std::string const& database, std::vector<std::string> more = {})
      : running(database, files.options(std::move(more))), client(files.authority.certificate()) {}

  HttpConnection connect() { return HttpConnection(running.port(), client); }
  HttpAnswer ask(std::string_view request) { return connect().ask(request); }

  TlsFilesOnDisk files;
  RunningDeployd running;
  TlsClient client;
};

}  // namespace deployd::tests
