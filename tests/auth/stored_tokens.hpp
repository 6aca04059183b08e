// A store that knows only API tokens, kept in memory: for time and faults. The real ones are tested with theirs.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "auth/api_token.hpp"
#include "storage/error.hpp"
#include "storage/store.hpp"

namespace deployd::tests {

class StoredTokens final : public storage::Store {
 public:
  std::map<storage::Sha256, storage::ApiToken> tokens;
  std::optional<storage::errc> trouble;  // what every question ends in
  int questions = 0;
  std::vector<std::int64_t> uses;

  storage::ApiToken& add(std::string const& token, std::string name,
                         std::optional<std::chrono::sys_seconds> expires = {}) {
    auto const id = static_cast<std::int64_t>(tokens.size()) + 1;
    return tokens[auth::hash_of(token)] = {.id = id, .name = std::move(name), .expires = expires, .revoked = false};
  }

  storage::Answer<std::optional<storage::ApiToken>> api_token(storage::Sha256 const& hash) override {
    ++questions;
    if (trouble) co_return boost::system::error_code(*trouble);
    auto const found = tokens.find(hash);
    if (found == tokens.end()) co_return std::optional<storage::ApiToken>();
    co_return std::optional(found->second);
  }

  void note_token_used(std::int64_t token_id) noexcept override { uses.push_back(token_id); }

  std::optional<std::uint64_t> data_version() noexcept override { return std::nullopt; }
  storage::Answer<bool> deployment(std::int64_t, storage::RowSink&) override { co_return unasked(); }
  storage::Answer<storage::Listing> list(storage::Filter const&, std::size_t, storage::RowSink&) override {
    co_return unasked();
  }
  storage::Answer<std::unique_ptr<storage::Cursor>> open_cursor(storage::Filter const&, storage::CursorUse) override {
    co_return unasked();
  }
  storage::Answer<bool> ping() override { co_return unasked(); }

 private:
  static boost::system::error_code unasked() { throw std::logic_error("not a question that auth asks"); }
};

}  // namespace deployd::tests
