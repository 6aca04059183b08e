#include "routing/request_id.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <random>

namespace deployd::routing {
namespace {

constexpr std::size_t longest_id = 128;

bool is_id_character(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

std::uint64_t random_prefix() {
  std::random_device device;
  return (std::uint64_t{device()} << 32) | device();
}

}  // namespace

std::string_view client_request_id(Request const& request) noexcept {
  auto const field = find_field(request, "X-Request-Id");
  if (!field.single() || field.value.empty() || field.value.size() > longest_id) return {};
  return std::ranges::all_of(field.value, is_id_character) ? field.value : std::string_view();
}

RequestIds::RequestIds() : prefix_(random_prefix()) {}

void RequestIds::append_next(std::string& out) {
  fmt::format_to(std::back_inserter(out), "{:016x}-{:x}", prefix_, ++count_);
}

}  // namespace deployd::routing
