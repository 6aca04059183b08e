#include "server/http/known_fields.hpp"

#include <xxhash.h>

#include <algorithm>

namespace deployd::server {
namespace {

using routing::Method;
using routing::Request;
using routing::SingleField;

/// Returns `field` as a view into a copy of the bytes that it referred to.
SingleField moved(SingleField const& field, char const* from, char const* to) noexcept {
  if (!field.present()) return field;
  return {{to + (field.value.data() - from), field.value.size()}, field.count};
}

bool is_target_character(char c) noexcept {
  auto const byte = static_cast<unsigned char>(c);
  return byte > 0x20 && byte != 0x7f;
}

}  // namespace

std::optional<ReadResult> read_known_head(std::string_view bytes, KnownFields const& known, HeadLimits const& limits,
                                          Request& request) noexcept {
  constexpr std::string_view method = "GET ";
  constexpr std::string_view version = " HTTP/1.1\r\n";
  if (!bytes.starts_with(method)) return std::nullopt;
  auto const target_end = bytes.find(' ', method.size());
  if (target_end == std::string_view::npos) return std::nullopt;
  auto const behind_target = bytes.substr(target_end);
  if (!behind_target.starts_with(version) || !behind_target.substr(version.size()).starts_with(known.lines))
    return std::nullopt;
  auto const target = bytes.substr(method.size(), target_end - method.size());
  if (target.empty() || target.size() > limits.target_bytes) return std::nullopt;
  if (!std::ranges::all_of(target, is_target_character)) return std::nullopt;

  request = known.request;
  request.method = Method::get;
  request.method_name = method.substr(0, method.size() - 1);
  request.target = target;
  ReadResult result;
  result.state = ReadResult::State::complete;
  result.fields_at = target_end + version.size();
  result.head_bytes = result.fields_at + known.lines.size();
  return result;
}

std::uint64_t KnownFieldsTable::hash_of(std::string_view lines) const noexcept {
  // A client that makes lines collide only causes its own lines to be parsed each time.
  return XXH3_64bits(lines.data(), lines.size());
}

std::shared_ptr<KnownFields const> KnownFieldsTable::remember(std::string_view lines, std::uint64_t hash,
                                                              Request const& request) {
  auto& slot = slots_[hash % slots_.size()];
  if (slot && slot->lines == lines) return slot;
  auto fields = std::make_shared<KnownFields>();
  fields->lines = lines;
  fields->request = request;
  fields->request.field_lines = fields->lines;
  auto const* const to = fields->lines.data();
  for (auto const field : routing::fields_of_request) fields->request.*field = moved(request.*field, lines.data(), to);
  slot = std::move(fields);
  return slot;
}

}  // namespace deployd::server
