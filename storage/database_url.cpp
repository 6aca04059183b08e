#include "storage/database_url.hpp"

#include <libpq-fe.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <optional>
#include <vector>

#include "storage/error.hpp"

namespace deployd::storage {
namespace {

constexpr std::string_view mask = "***";

/// What parsing came to: a URL, or why there is none.
struct Parsed {
  std::optional<DatabaseUrl> url;
  std::string complaint;
};

bool is_secret(std::string_view parameter) {
  return parameter == "password" || parameter == "sslpassword";
}

/// The places of the passwords in a libpq URI, front to back: behind the user's name, and as parameters. Works on
/// malformed URIs too, on the side of hiding too much.
std::vector<std::string_view> passwords_in(std::string_view uri) {
  std::vector<std::string_view> found;
  auto const scheme = uri.find("://");
  auto const start = scheme == uri.npos ? 0 : scheme + 3;
  auto const query = uri.find('?', start);
  auto const authority = uri.substr(start, query == uri.npos ? uri.npos : query - start);
  auto const at = authority.rfind('@');
  auto const colon = authority.find(':');
  if (at != authority.npos && colon < at) found.push_back(authority.substr(colon + 1, at - colon - 1));
  for (auto from = query; from != uri.npos;) {
    auto const next = uri.find('&', ++from);
    auto const parameter = uri.substr(from, next == uri.npos ? uri.npos : next - from);
    auto const equals = parameter.find('=');
    if (equals != parameter.npos && is_secret(parameter.substr(0, equals)))
      found.push_back(parameter.substr(equals + 1));
    from = next;
  }
  return found;
}

std::string masked(std::string_view uri) {
  std::string out;
  auto from = uri.begin();
  for (auto const password : passwords_in(uri)) {
    out.append(from, password.begin());
    out += mask;
    from = password.end();
  }
  out.append(from, uri.end());
  return out;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 && hex_digit(text[i + 2]) >= 0) {
      out += static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

void replace_all(std::string& text, std::string_view what, std::string_view by) {
  if (what.empty()) return;
  for (auto at = text.find(what); at != text.npos; at = text.find(what, at + by.size()))
    text.replace(at, what.size(), by);
}

/// libpq asks back, in lines that it indents, whether the server is running at all.
void leave_out_questions(std::string& message) {
  for (auto at = message.find("\n\t"); at != message.npos; at = message.find("\n\t", at))
    message.erase(at, std::min(message.find('\n', at + 1), message.size()) - at);
}

/// One line without the passwords of `uri`.
std::string scrubbed(std::string_view message, std::string_view uri) {
  std::string line(message);
  for (auto const password : passwords_in(uri)) {
    replace_all(line, password, mask);
    replace_all(line, percent_decoded(password), mask);
  }
  while (!line.empty() && (line.back() == '\n' || line.back() == ' ')) line.pop_back();
  leave_out_questions(line);
  replace_all(line, "\n", "; ");
  std::replace_if(
      line.begin(), line.end(), [](char c) { return c == '\r' || c == '\t'; }, ' ');
  return line;
}

Parsed refused(std::string complaint) {
  return {std::nullopt, std::move(complaint)};
}

Parsed parse_sqlite(std::string_view path) {
  if (path.empty()) return refused("the path of the SQLite file is missing, as in sqlite:deployd.db");
  if (path == ":memory:") return refused("sqlite::memory: holds nothing that a second session could see; name a file");
  if (path.find('\0') != path.npos) return refused("the path of the SQLite file has a NUL byte in it");
  return {SqliteUrl{std::string(path)}, ""};
}

/// Takes `prepare=on|off` out of the URI's query; false when it is given twice or has another value.
bool take_prepare(std::string& uri, std::optional<bool>& prepare) {
  auto const query = uri.find('?');
  if (query == uri.npos) return true;
  std::string kept;
  bool seen = false;
  std::string_view rest = std::string_view(uri).substr(query + 1);
  while (true) {
    auto const ampersand = rest.find('&');
    auto const parameter = rest.substr(0, ampersand);
    if (parameter == "prepare" || parameter.starts_with("prepare=")) {
      if (seen || (parameter != "prepare=on" && parameter != "prepare=off")) return false;
      seen = true;
      prepare = parameter == "prepare=on";
    } else {
      if (!kept.empty()) kept += '&';
      kept += parameter;
    }
    if (ampersand == rest.npos) break;
    rest.remove_prefix(ampersand + 1);
  }
  if (seen) uri = uri.substr(0, query) + (kept.empty() ? "" : "?" + kept);
  return true;
}

/// Whether these are ports between commas, each of which may be left out.
bool are_ports(std::string_view list) {
  while (true) {
    auto const comma = std::min(list.find(','), list.size());
    unsigned port = 1;
    auto const [end, failure] = std::from_chars(list.data(), list.data() + comma, port);
    if (comma != 0 && (failure != std::errc() || end != list.data() + comma || port < 1 || port > 65535)) return false;
    if (comma == list.size()) return true;
    list.remove_prefix(comma + 1);
  }
}

/// What libpq would say only when it connects, or never, where deployd puts its own word in the place; empty when all
/// is well.
std::string complaint_about(PQconninfoOption const& option) {
  constexpr std::array attributes{"any", "read-write", "read-only", "primary", "standby", "prefer-standby"};
  constexpr std::array modes{"disable", "allow", "prefer", "require", "verify-ca", "verify-full"};
  std::string_view const keyword = option.keyword;
  std::string_view const value = option.val == nullptr ? "" : option.val;
  if (value.empty()) return {};
  auto const is_one_of = [value](auto const& words) { return std::ranges::find(words, value) != words.end(); };
  // Not shown: with a slash in a password its beginning is taken for the port.
  if (keyword == "port" && !are_ports(value)) return "a port in the database URL is no number from 1 to 65535";
  if ((keyword == "target_session_attrs" && !is_one_of(attributes)) || (keyword == "sslmode" && !is_one_of(modes)))
    return "the database URL has an unknown " + std::string(keyword) + ": " + std::string(value);
  return {};
}

Parsed parse_postgresql(std::string_view text) {
  PostgresqlUrl url{std::string(text), std::nullopt};
  if (text.find('\0') != text.npos) return refused("the database URL has a NUL byte in it");
  if (!take_prepare(url.uri, url.prepare)) return refused("prepare in the database URL is neither on nor off");
  char* error = nullptr;
  std::unique_ptr<PQconninfoOption, void (*)(PQconninfoOption*)> const options(PQconninfoParse(url.uri.c_str(), &error),
                                                                               &PQconninfoFree);
  std::unique_ptr<char, void (*)(void*)> const message(error, &PQfreemem);
  if (!options) return refused(scrubbed(error ? error : "out of memory", url.uri));
  for (auto const* option = options.get(); option->keyword != nullptr; ++option)
    if (auto complaint = complaint_about(*option); !complaint.empty()) return refused(std::move(complaint));
  return {std::move(url), ""};
}

Parsed parse(std::string_view text) {
  constexpr std::string_view sqlite = "sqlite:";
  if (text.starts_with(sqlite)) return parse_sqlite(text.substr(sqlite.size()));
  if (text.starts_with("postgresql://") || text.starts_with("postgres://")) return parse_postgresql(text);
  return refused("a database URL begins with sqlite: or postgresql://");
}

}  // namespace

boost::system::result<DatabaseUrl> parse_database_url(std::string_view text) {
  auto parsed = parse(text);
  if (!parsed.url) return make_error_code(errc::bad_database_url);
  return *std::move(parsed.url);
}

std::string database_url_complaint(std::string_view text) {
  return parse(text).complaint;
}

std::string describe(DatabaseUrl const& url) {
  if (auto const* sqlite = std::get_if<SqliteUrl>(&url)) return "sqlite:" + sqlite->path;
  return masked(std::get<PostgresqlUrl>(url).uri);
}

std::string without_passwords(std::string_view message, DatabaseUrl const& url) {
  auto const* postgresql = std::get_if<PostgresqlUrl>(&url);
  return scrubbed(message, postgresql ? std::string_view(postgresql->uri) : std::string_view());
}

}  // namespace deployd::storage
