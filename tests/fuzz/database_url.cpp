// Database URLs: what libpq is given is what the URL says, and no line for people has a value that is not for showing.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "storage/database_url.hpp"
#include "tests/fuzz/expect.hpp"

namespace storage = deployd::storage;
using deployd::tests::expect;

namespace {

// Stands for the marker in the input, so that the fuzzer moves it as a whole.
constexpr char marker_byte = '\x01';
constexpr std::string_view marker = "MARKER";

std::string with_marker(std::string_view data) {
  std::string text;
  for (char const c : data) text += c == marker_byte ? std::string(marker) : std::string(1, c);
  return text;
}

bool has_marker(std::string_view text) {
  return text.find(marker) != text.npos;
}

/// True if libpq treats the marker as part of something that is shown.
bool marker_is_shown(storage::PostgresqlUrl const& url) {
  return std::ranges::any_of(std::initializer_list<std::string_view>{"user", "host", "hostaddr", "port", "dbname"},
                             [&url](std::string_view keyword) { return has_marker(url[keyword]); });
}

void check(storage::PostgresqlUrl const& url) {
  auto const shown = describe(url);
  expect(has_marker(shown) <= marker_is_shown(url), "nothing but user, hosts, ports and database is shown");
  auto const again = storage::parse_database_url(connection_uri(url));
  expect(again.has_value(), "what libpq is given can be parsed");
  expect(std::get<storage::PostgresqlUrl>(*again).parameters == url.parameters, "and says the same");
  expect(storage::parse_database_url(shown).has_value(), "what is shown can be parsed");
  for (auto const* const secret : {"password", "sslpassword"}) {
    auto const said = storage::without_passwords("no " + std::string(url[secret]) + " here", url);
    expect(!has_marker(url[secret]) || !has_marker(said), "no password is in what libpq says");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  auto const text = with_marker({reinterpret_cast<char const*>(data), size});
  auto const url = storage::parse_database_url(text);
  auto const complaint = storage::database_url_complaint(text);
  expect(url.has_value() == complaint.empty(), "what is refused is refused with a reason");
  expect(complaint.find('\n') == complaint.npos, "a complaint is one line");
  if (!url) {
    expect(text.starts_with("sqlite:") || !has_marker(complaint), "a complaint quotes no value");
    return 0;
  }
  if (auto const* const postgresql = std::get_if<storage::PostgresqlUrl>(&*url)) check(*postgresql);
  return 0;
}
