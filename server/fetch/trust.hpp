// Whose certificates a client accepts.
#pragma once

#include <boost/asio/ssl/context.hpp>

#include <memory>
#include <optional>
#include <string>

namespace deployd::server {

/// What connections of a client are made with: TLS 1.2 or later, and a certificate that one of the authorities in
/// `ca_file` (PEM) vouches for; without a file, one of the system's. The name is checked by each connection.
///
/// Throws TlsError or auth::KeyError naming the file when it cannot be used.
std::shared_ptr<boost::asio::ssl::context> make_trust(std::optional<std::string> const& ca_file);

}  // namespace deployd::server
