// The forms in which a response can be sent.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace deployd::routing {

/// The format of a list, in the order of preference among equals.
enum class Format : std::uint8_t { json, ndjson, csv };

/// A content coding (RFC 9110 §8.4.1). After `identity`, in the order of preference among equals: docs/measuring.md
/// compares their sizes and costs.
enum class Coding : std::uint8_t { identity, zstd, br, gzip };

inline constexpr std::array all_codings{Coding::identity, Coding::zstd, Coding::br, Coding::gzip};

/// Returns the name of a coding in Content-Encoding.
constexpr std::string_view to_string(Coding coding) noexcept {
  constexpr std::array<std::string_view, all_codings.size()> names{"identity", "zstd", "br", "gzip"};
  return names[static_cast<std::size_t>(coding)];
}

/// Shorter bodies are not compressed: with its header block the response fits into one packet either way.
inline constexpr std::size_t shortest_coded_body = 1024;

/// What distinguishes the representations of one target.
struct Form {
  Format format = Format::json;
  Coding coding = Coding::identity;

  bool operator==(Form const&) const = default;
};

/// The form that a client prefers among those that deployd has.
struct WantedForm : Form {
  bool identity_refused = false;  // the coding must be applied to bodies too that are too short to gain
};

}  // namespace deployd::routing
