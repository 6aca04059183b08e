#include "server/sync/source.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <chrono>
#include <string_view>
#include <utility>

#include "auth/key_error.hpp"
#include "auth/key_file.hpp"
#include "auth/refusal_report.hpp"
#include "base/jitter.hpp"
#include "base/percent_encoding.hpp"
#include "storage/transfer/import_format.hpp"

namespace deployd::server {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;

constexpr unsigned max_attempts = 4;
constexpr milliseconds first_pause{500};
constexpr std::chrono::seconds longest_pause{60};

// As long as deployd itself streams a list, by default.
constexpr std::chrono::minutes longest_fetch{10};
constexpr std::chrono::seconds longest_silence{30};
// A limit against a source that never ends: some hundred million rows.
constexpr std::uint64_t most_bytes = std::uint64_t{16} << 30;

/// The token in a file: one word.
std::string read_token(std::string const& path) {
  auto token = auth::read_key_file(path).bytes;
  while (!token.empty() && (token.back() == '\n' || token.back() == '\r' || token.back() == ' ')) token.pop_back();
  if (token.empty() || !std::ranges::all_of(token, [](unsigned char c) { return c > 0x20 && c < 0x7F; }))
    throw auth::KeyError(path + ": must hold one token, as `deployd token create` prints it, and nothing else");
  return token;
}

bool may_pass(FetchFault const& fault) noexcept {
  if (!fault.status) return true;
  return *fault.status == 408 || *fault.status == 429 || (*fault.status >= 500 && *fault.status != 501);
}

/// Returns the beginning of a message about a list: its pattern, if it has one.
std::string beginning_for(SourceList const& list) {
  return list.pattern.empty() ? "" : "pattern " + auth::in_quotes(list.pattern) + ": ";
}

std::string words_for(SourceList const& list, FetchFault const& fault, std::string const& token_file) {
  auto line = beginning_for(list) + fault.what;
  switch (fault.status.value_or(0)) {
    case 401:
    case 403: return fmt::format("{}: it does not accept the token in {}", line, token_file);
    case 404: return list.pattern.empty() ? line : line + ": the source has no pattern with this name";
    default: return line;
  }
}

/// Of a list that is not whole, the rest would be deleted.
void refuse_page(Fetched const& fetched) {
  for (auto const& field : fetched.fields)
    if (field.name() == boost::beast::http::field::link && field.value().find("rel=\"next\"") != field.value().npos)
      throw storage::BadRow({}, "the source sends the list in pages (Link: rel=\"next\")");
}

}  // namespace

SourceList::SourceList(storage::Table of, std::string path, std::string pattern_name)
    : table(of), target(std::move(path)), pattern(std::move(pattern_name)) {
  base::append_percent_encoded(target, pattern);
}

Source::Source(Url base, std::string token_file, std::optional<std::string> ca_file)
    : base_(std::move(base)), token_file_(std::move(token_file)), ca_file_(std::move(ca_file)) {}

std::string Source::name() const {
  auto name = shown(base_);
  while (name.ends_with('/')) name.pop_back();
  return name;
}

void Source::reload() {
  token_ = read_token(token_file_);
  trust_ = make_trust(ca_file_);
}

asio::awaitable<Source::Attempt> Source::try_once(SourceList const& list, FetchOptions options,
                                                  storage::ImportRows& rows) {
  auto const reader = storage::make_list_import(list.table, rows);
  options.body_to = [&reader](std::string_view piece) { reader->read(piece); };
  auto url = base_;
  while (url.target.ends_with('/')) url.target.pop_back();
  url.target += list.target;
  try {
    auto work = async_fetch(url, std::move(options), trust_);
    auto fetched = co_await std::move(work);
    if (!fetched) co_return fetched.error();
    if (fetched->modified) {
      reader->finish();
      refuse_page(*fetched);
    }
    co_return SourceAnswer{fetched->modified, fetched->etag};
  } catch (storage::BadRow const& bad) {
    throw SourceError(ExitStatus::data, fmt::format("{}{}: {}", beginning_for(list), shown(url), bad.what()));
  }
}

asio::awaitable<SourceAnswer> Source::read(SourceList list, std::optional<std::string> etag, storage::ImportRows& rows,
                                           std::function<void()> begin) {
  asio::steady_timer timer(co_await asio::this_coro::executor);
  for (unsigned attempt = 1;; ++attempt) {
    FetchOptions options;
    options.max_bytes = most_bytes;
    options.timeout = longest_fetch;
    options.max_silence = longest_silence;
    options.etag = etag;
    options.authorization = "Bearer " + token_;
    begin();
    auto work = try_once(list, std::move(options), rows);
    auto answer = co_await std::move(work);
    if (answer) co_return *answer;
    auto const& fault = answer.error();

    milliseconds pause = base::jittered(first_pause * (1U << (attempt - 1)));
    if (fault.retry_after) pause = std::max<milliseconds>(pause, *fault.retry_after);
    if (!may_pass(fault) || attempt == max_attempts || pause > longest_pause) {
      SourceError error(ExitStatus::unavailable, words_for(list, fault, token_file_));
      error.status = fault.status;
      if (may_pass(fault)) error.retry_after = fault.retry_after;
      throw error;
    }
    spdlog::info("{}; next attempt in {:.1f} s", words_for(list, fault, token_file_),
                 std::chrono::duration<double>(pause).count());
    timer.expires_after(pause);
    co_await timer.async_wait(asio::use_awaitable);
  }
}

}  // namespace deployd::server
