// Parsers for the values of options.
//
// Every function throws std::invalid_argument for an invalid text; `what()` describes what is wrong.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "server/listen/listen_address.hpp"

namespace deployd::server {

/// The range of durations, sizes and counts, from `least` to `most`.
template <typename T>
struct Between {
  T least;
  T most;
};

/// Parses `500ms`, `10s`, `5m`, `1h`, `30d`.
std::chrono::milliseconds parse_duration(std::string_view text, Between<std::chrono::milliseconds> range);

/// Parses bytes, or `64KiB`, `64MiB`, `1GiB`.
std::size_t parse_size(std::string_view text, Between<std::size_t> range);

/// Parses a decimal number.
std::uint64_t parse_count(std::string_view text, Between<std::uint64_t> range);

/// Parses `100/s`: a positive number per second.
double parse_rate(std::string_view text);

/// Parses `ADDR:PORT`, `[ADDR]:PORT`, `HOST:PORT` or `unix:PATH`; `:PORT` or `PORT` alone means all addresses.
ListenAddress parse_listen_address(std::string_view text);

/// Parses `*`, `null`, or `scheme://host[:port]` (RFC 6454 §6.2).
std::string parse_origin(std::string_view text);

/// Parses a switch: `true` or `false`, also `1` and `0`.
bool parse_switch(std::string_view text);

}  // namespace deployd::server
