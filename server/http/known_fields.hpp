// Field lines that were parsed before, recognised by their bytes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "routing/request.hpp"
#include "server/http/request_reader.hpp"

namespace deployd::server {

/// The field lines of a good HTTP/1.1 request without a body, up to and with the empty line, and what they mean.
struct KnownFields {
  std::string lines;
  routing::Request request;  // method and target apart; its views are of `lines`
};

/// Reads the head at the beginning of `bytes` when it is a GET whose field lines are those of `known`. Nothing when it
/// is not, which says nothing about it. `request` has views into `bytes` and `known`.
std::optional<ReadResult> read_known_head(std::string_view bytes, KnownFields const& known, HeadLimits const& limits,
                                          routing::Request& request) noexcept;

/// The field lines that the connections of one worker have sent: clients send the same ones with each request, and
/// those of one program and token send the same ones on all connections.
class KnownFieldsTable {
 public:
  /// Lines longer than this are parsed each time: a connection that waits keeps what it knows.
  static constexpr std::size_t longest = 2048;

  /// What tells lines apart before they are compared.
  std::uint64_t hash_of(std::string_view lines) const noexcept;

  /// The known fields with these `lines`, which `hash` is of; made of what `request` says when they are new. `request`
  /// has views into `lines`.
  std::shared_ptr<KnownFields const> remember(std::string_view lines, std::uint64_t hash,
                                              routing::Request const& request);

 private:
  std::array<std::shared_ptr<KnownFields const>, 256> slots_;
};

}  // namespace deployd::server
