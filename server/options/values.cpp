#include "server/options/values.hpp"

#include <fmt/format.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <span>
#include <stdexcept>
#include <utility>

namespace deployd::server {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr std::array duration_units{Unit{"ms", 1}, Unit{"s", 1000}, Unit{"m", 60'000}, Unit{"h", 3'600'000},
                                    Unit{"d", 86'400'000}};
constexpr std::array size_units{Unit{"", 1}, Unit{"KiB", 1ULL << 10}, Unit{"MiB", 1ULL << 20}, Unit{"GiB", 1ULL << 30}};

[[noreturn]] void refuse(std::string const& what) {
  throw std::invalid_argument(what);
}

/// Returns the number if all of `text` is a decimal number.
std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  auto const [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || failure != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// Parses a number followed by one of `units`. Returns it in the smallest unit.
std::optional<std::uint64_t> quantity(std::string_view text, std::span<Unit const> units) {
  auto const digits = std::min(text.find_first_not_of("0123456789"), text.size());
  auto const value = number(text.substr(0, digits));
  auto const unit = std::ranges::find(units, text.substr(digits), &Unit::name);
  if (!value || unit == units.end() || *value > UINT64_MAX / unit->factor) return std::nullopt;
  return *value * unit->factor;
}

std::string show(std::chrono::milliseconds time) {
  for (auto unit = duration_units.rbegin(); unit != duration_units.rend(); ++unit) {
    auto const factor = static_cast<std::chrono::milliseconds::rep>(unit->factor);
    if (time.count() % factor == 0) return fmt::format("{}{}", time.count() / factor, unit->name);
  }
  return {};
}

/// True for names that can be looked up. False for names that end in a number, such as 10.0.0.300, which resolvers take
/// for an address.
bool is_host_name(std::string_view text) {
  constexpr std::string_view characters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
  if (text.size() > 253 || text.starts_with('.') || text.starts_with('-') || text.find("..") != text.npos) return false;
  auto const last = text.substr(0, text.size() - (text.ends_with('.') ? 1 : 0));
  auto const label = last.substr(last.rfind('.') + 1);
  return text.find_first_not_of(characters) == text.npos && label.find_first_not_of("0123456789") != label.npos;
}

ListenAddress parse_tcp_address(std::string_view text) {
  auto const colon = text.rfind(':');
  bool const bare_port = colon == text.npos && number(text);
  if (colon == text.npos && !bare_port)
    refuse(fmt::format("'{}' has no port; give ADDR:PORT, [ADDR]:PORT, HOST:PORT, :PORT or unix:PATH", text));
  auto const host = std::string(bare_port ? std::string_view() : text.substr(0, colon));
  auto const port = number(bare_port ? text : text.substr(colon + 1));
  if (!port || *port > 65535) refuse(fmt::format("'{}' does not end in a port from 0 to 65535", text));
  auto const number16 = static_cast<std::uint16_t>(*port);
  if (host.starts_with('[') && host.ends_with(']')) {
    boost::system::error_code bad;
    auto const address = boost::asio::ip::make_address_v6(host.substr(1, host.size() - 2), bad);
    if (bad || host.find('%') != host.npos) refuse(fmt::format("'{}' has no IPv6 address in its brackets", text));
    return TcpAddress(address, number16);
  }
  if (text.find(',') != text.npos) refuse(fmt::format("'{}' is not one address; write several as an array", text));
  if (text.find("://") != text.npos) refuse(fmt::format("'{}' is a URL; write ADDR:PORT without http://", text));
  if (host.find(':') != host.npos)
    refuse(fmt::format("'{}' has a colon in its host; write IPv6 addresses in brackets, as [::1]:8080", text));
  boost::system::error_code not_numeric;
  auto const address = boost::asio::ip::make_address_v4(host, not_numeric);
  if (!not_numeric) return TcpAddress(address, number16);
  if (!host.empty() && !is_host_name(host))
    refuse(fmt::format("'{}' begins neither with an address, as 127.0.0.1 or [::1], nor with a host name", text));
  return HostAddress{host, number16};
}

}  // namespace

std::chrono::milliseconds parse_duration(std::string_view text, Between<std::chrono::milliseconds> range) {
  auto const value = quantity(text, duration_units);
  if (!value) refuse(fmt::format("'{}' is not a duration; write 500ms, 10s, 5m, 1h or 30d", text));
  if (*value < static_cast<std::uint64_t>(range.least.count()) ||
      *value > static_cast<std::uint64_t>(range.most.count()))
    refuse(fmt::format("'{}' is not from {} to {}", text, show(range.least), show(range.most)));
  return std::chrono::milliseconds(*value);
}

std::size_t parse_size(std::string_view text, Between<std::size_t> range) {
  auto const value = quantity(text, size_units);
  if (!value) refuse(fmt::format("'{}' is not a size; write bytes as 65536, or 64KiB, 64MiB, 1GiB", text));
  if (*value < range.least || *value > range.most)
    refuse(fmt::format("'{}' is not from {} to {} bytes", text, range.least, range.most));
  return *value;
}

std::uint64_t parse_count(std::string_view text, Between<std::uint64_t> range) {
  auto const value = number(text);
  if (!value || *value < range.least || *value > range.most)
    refuse(fmt::format("'{}' is not a number from {} to {}", text, range.least, range.most));
  return *value;
}

double parse_rate(std::string_view text) {
  auto const digits = text.ends_with("/s") ? text.substr(0, text.size() - 2) : std::string_view();
  double value = 0;
  auto const [end, failure] =
      std::from_chars(digits.data(), digits.data() + digits.size(), value, std::chars_format::fixed);
  if (digits.empty() || failure != std::errc() || end != digits.data() + digits.size() || !(value >= 0.001) ||
      value > 1e9)
    refuse(fmt::format("'{}' is not a rate; write requests a second as 100/s", text));
  return value;
}

ListenAddress parse_listen_address(std::string_view text) {
  constexpr std::string_view unix_scheme = "unix:";
  if (!text.starts_with(unix_scheme)) return parse_tcp_address(text);
  auto const path = text.substr(unix_scheme.size());
  if (path.empty()) refuse("'unix:' is not followed by a path");
  if (path.size() >= sizeof(sockaddr_un::sun_path))
    refuse(fmt::format("the path of '{}' is longer than the {} bytes a socket's may have", text,
                       sizeof(sockaddr_un::sun_path) - 1));
  return UnixAddress{std::string(path)};
}

std::string parse_origin(std::string_view text) {
  if (text == "*" || text == "null") return std::string(text);
  auto const scheme = text.find("://");
  auto const host = scheme == text.npos ? std::string_view() : text.substr(scheme + 3);
  constexpr std::string_view plain = "abcdefghijklmnopqrstuvwxyz0123456789.-:[]_+";
  if (scheme == 0 || host.empty() || text.substr(0, scheme).find_first_not_of(plain) != text.npos ||
      host.find_first_not_of(plain) != text.npos)
    refuse(fmt::format(
        "'{}' is not an origin as browsers send it: https://app.example.com, in lower case, without a path", text));
  return std::string(text);
}

bool parse_switch(std::string_view text) {
  if (text == "true" || text == "1") return true;
  if (text == "false" || text == "0") return false;
  refuse(fmt::format("'{}' is neither true nor false", text));
}

}  // namespace deployd::server
