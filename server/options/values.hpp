// The values of options: text in, a checked value out.
//
// Every function throws std::invalid_argument, with what is wrong as `what()`, for text that is no such value.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "server/listen/listen_address.hpp"

namespace deployd::server {

/// Durations, sizes and counts from `least` to `most`.
template <typename T>
struct Between {
  T least;
  T most;
};

/// Parses `500ms`, `10s`, `5m`, `1h`, `30d`.
std::chrono::milliseconds parse_duration(std::string_view text, Between<std::chrono::milliseconds> range);

/// Bytes, or `64KiB`, `64MiB`, `1GiB`.
std::size_t parse_size(std::string_view text, Between<std::size_t> range);

/// A decimal number.
std::uint64_t parse_count(std::string_view text, Between<std::uint64_t> range);

/// `100/s`: more than none a second.
double parse_rate(std::string_view text);

/// `ADDR:PORT`, `[ADDR]:PORT`, `HOST:PORT` or `unix:PATH`; `:PORT` or `PORT` alone for all addresses.
ListenAddress parse_listen_address(std::string_view text);

/// `*`, `null`, or `scheme://host[:port]` (RFC 6454 §6.2).
std::string parse_origin(std::string_view text);

/// A switch: `true` or `false`, also `1` and `0`.
bool parse_switch(std::string_view text);

}  // namespace deployd::server
