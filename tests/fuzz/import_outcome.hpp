// What an import makes of a text, in pieces of any size.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "storage/transfer/import_parser.hpp"
#include "storage/transfer/import_target.hpp"
#include "tests/fuzz/expect.hpp"

namespace deployd::tests {

using Pattern = std::tuple<std::int64_t, std::string>;
using Deployment = std::tuple<std::int64_t, std::int64_t, std::string>;

using NamedDeployment = std::tuple<std::int64_t, std::string, std::string>;

class Collected final : public storage::ImportRows {
 public:
  void add(storage::ImportRow const& row) override {
    expect(row.place.line > 0, "a row has a line");
    expect(row.name.find('\0') == row.name.npos, "no name holds U+0000");
    expect(!row.pattern || row.pattern->find('\0') == row.pattern->npos, "no name holds U+0000");
    if (row.pattern)
      named.emplace_back(row.id, *row.pattern, row.name);
    else if (row.pattern_id)
      deployments.emplace_back(row.id, *row.pattern_id, row.name);
    else
      patterns.emplace_back(row.id, row.name);
  }

  std::vector<Pattern> patterns;
  std::vector<Deployment> deployments;
  std::vector<NamedDeployment> named;
};

struct Outcome {
  Collected rows;
  std::optional<std::string> refusal;
  storage::RowPlace place;
};

inline Outcome import_in_pieces(std::string_view text, std::size_t piece) {
  Outcome outcome;
  try {
    storage::ImportParser parser(0, outcome.rows);
    for (std::size_t at = 0; at < text.size(); at += piece) parser.read(text.substr(at, piece));
    parser.finish();
  } catch (storage::BadRow const& bad) {
    outcome.refusal = bad.what();
    outcome.place = bad.place();
  }
  return outcome;
}

/// Reads `text` as a whole and in pieces, and expects the same of both.
inline Outcome import_whole_and_in_pieces(std::string_view text) {
  auto const whole = import_in_pieces(text, text.size() + 1);
  auto const pieces = import_in_pieces(text, 1 + text.size() % 5);
  expect(whole.refusal.has_value() == pieces.refusal.has_value(), "pieces do not matter");
  expect(whole.rows.patterns == pieces.rows.patterns, "pieces do not matter to patterns");
  expect(whole.rows.deployments == pieces.rows.deployments, "pieces do not matter to deployments");
  expect(whole.rows.named == pieces.rows.named, "pieces do not matter to deployments of named patterns");
  if (!whole.refusal) return whole;
  expect(whole.place == pieces.place, "pieces do not matter to lines and columns");
  expect(!whole.refusal->empty(), "a refusal says why");
  expect(whole.refusal->find('\n') == std::string::npos, "a refusal is one line");
  return whole;
}

}  // namespace deployd::tests
