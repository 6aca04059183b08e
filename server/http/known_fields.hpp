// Recognises field lines that were parsed before by their bytes.
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

/// The field lines of a valid HTTP/1.1 request without a body, up to and including the empty line, and their parsed
/// values.
struct KnownFields {
  std::string lines;
  routing::Request request;  // without method and target; its views point into `lines`
};

/// Reads the head at the beginning of `bytes` if it is a GET whose field lines equal those of `known`. Otherwise
/// returns nothing, and the head must be parsed. The views of `request` point into `bytes` and `known`.
std::optional<ReadResult> read_known_head(std::string_view bytes, KnownFields const& known, HeadLimits const& limits,
                                          routing::Request& request) noexcept;

/// The field lines that the connections of one worker have sent. Clients send the same lines with each request, and
/// clients with the same program and token send the same lines on all connections.
class KnownFieldsTable {
 public:
  /// Longer field lines are parsed each time: idle connections keep their known fields in memory.
  static constexpr std::size_t longest = 2048;

  /// Returns a hash by which lines are looked up before they are compared.
  std::uint64_t hash_of(std::string_view lines) const noexcept;

  /// Returns the known fields with these `lines`, whose hash is `hash`. New ones are created from `request`, whose
  /// views must point into `lines`.
  std::shared_ptr<KnownFields const> remember(std::string_view lines, std::uint64_t hash,
                                              routing::Request const& request);

 private:
  std::array<std::shared_ptr<KnownFields const>, 256> slots_;
};

}  // namespace deployd::server
