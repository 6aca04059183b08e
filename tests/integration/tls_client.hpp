// The client's side of TLS, for HttpConnection.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "tests/certificates.hpp"

struct ssl_ctx_st;
struct ssl_session_st;
struct ssl_st;

namespace deployd::tests {

/// What a client trusts, shows and remembers. Must outlive the connections made with it.
class TlsClient {
 public:
  /// Trusts what `authority` (PEM) vouches for, under the name `localhost`.
  explicit TlsClient(std::string const& authority);

  /// TLS1_2_VERSION or TLS1_3_VERSION alone.
  TlsClient& only(int version);
  TlsClient& show(CertificateAndKey const& own);
  /// Each connection resumes the newest session there was before.
  TlsClient& resume();

 private:
  friend class TlsConnection;

  std::shared_ptr<ssl_ctx_st> context_;
  std::shared_ptr<std::shared_ptr<ssl_session_st>> newest_session_;  // shared by copies, as the context is
  bool resumes_ = false;
};

/// TLS on a connected socket, which remains the owner's. Nothing here waits longer than 30 seconds.
class TlsConnection {
 public:
  /// Shakes hands. Throws std::runtime_error, with OpenSSL's reason, when that fails.
  TlsConnection(TlsClient& client, int socket);
  ~TlsConnection();

  void send(std::string_view bytes);
  /// Says that nothing more will be sent.
  void finish_sending();

  /// Encrypts as one record, or more, without sending it.
  std::string encrypt(std::string_view bytes);

  enum class Got { bytes, nothing, end };
  /// Appends what comes until `deadline_ms` from now. `end`: see `ended_in_order`.
  Got read(std::string& buffer, int deadline_ms);

  bool resumed() const;
  std::string version() const;
  std::string certificate_name() const;
  /// True if the server sent close_notify before it closed the connection.
  bool ended_in_order() const noexcept { return ended_in_order_; }

 private:
  TlsClient& client_;
  int socket_;
  std::shared_ptr<ssl_st> connection_;
  bool ended_in_order_ = false;
};

}  // namespace deployd::tests
