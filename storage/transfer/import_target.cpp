#include "storage/transfer/import_target.hpp"

#include "base/json_escape.hpp"

namespace deployd::storage {
namespace {

std::string words_for_taken_name(std::int64_t id, std::string_view name, std::int64_t owner) {
  std::string words = "pattern " + std::to_string(id) + ": the name \"";
  base::append_json_escaped(words, name);
  return words + "\" is taken by pattern " + std::to_string(owner);
}

std::string words_for_unknown_name(std::int64_t id, std::string_view pattern) {
  std::string words = "deployment " + std::to_string(id) + ": there is no pattern \"";
  base::append_json_escaped(words, pattern);
  return words + "\", neither in the store nor in the files";
}

}  // namespace

TakenName::TakenName(RowPlace place, std::int64_t id, std::string_view name, std::int64_t owner)
    : BadRow(place, words_for_taken_name(id, name, owner)) {}

UnknownPattern::UnknownPattern(RowPlace place, std::int64_t id, std::int64_t pattern_id)
    : BadRow(place, "deployment " + std::to_string(id) + ": there is no pattern " + std::to_string(pattern_id)) {}

UnknownPatternName::UnknownPatternName(RowPlace place, std::int64_t id, std::string_view pattern)
    : BadRow(place, words_for_unknown_name(id, pattern)) {}

}  // namespace deployd::storage
