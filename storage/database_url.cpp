#include "storage/database_url.hpp"

#include <libpq-fe.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <optional>
#include <vector>

#include "base/percent_encoding.hpp"
#include "storage/error.hpp"

namespace deployd::storage {
namespace {

constexpr std::string_view mask = "***";

// The parameters that libpq marks as secret.
constexpr std::array secrets{"password", "sslpassword"};

// A shorter password may be part of a word: masking it there would reveal it.
constexpr std::size_t shortest_masked = 4;

/// A URL, or the reason why it is refused.
using Parsed = boost::system::result<DatabaseUrl, std::string>;

std::string percent_encoded(std::string_view text) {
  std::string encoded;
  base::append_percent_encoded(encoded, text);
  return encoded;
}

/// Returns a text with an escape that is none as it is: libpq refuses it.
std::string percent_decoded(std::string_view text) {
  return base::percent_decode(text, base::PlusSign::literal).value_or(std::string(text));
}

/// Splits a list at each mark. Returns nothing for an empty text.
std::vector<std::string_view> split(std::string_view list, char mark) {
  std::vector<std::string_view> parts;
  if (list.empty()) return parts;
  for (auto end = list.find(mark); end != list.npos; end = list.find(mark)) {
    parts.push_back(list.substr(0, end));
    list.remove_prefix(end + 1);
  }
  parts.push_back(list);
  return parts;
}

// --- SQLite ---------------------------------------------------------------------------------------------------------

Parsed parse_sqlite(std::string_view path) {
  if (path.empty()) return "the path of the SQLite file is missing, as in sqlite:deployd.db";
  if (path == ":memory:") return "sqlite::memory: holds nothing that a second session could see; name a file";
  if (path.find('\0') != path.npos) return "the path of the SQLite file has a NUL byte in it";
  if (auto const query = path.find('?'); query != path.npos) {
    constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
    auto const option = path.substr(query + 1, path.find_first_of("=&", query) - query - 1);
    bool const is_name = !option.empty() && option.find_first_not_of(letters) == option.npos;
    return "a SQLite URL takes no options" + (is_name ? ": '" + std::string(option) + "'" : std::string()) +
           " behind the '?'; a file whose name has a '?' cannot be used";
  }
  return SqliteUrl{std::string(path)};
}

// --- PostgreSQL -----------------------------------------------------------------------------------------------------

constexpr std::string_view encoded_at = "; in a user's name, a password or a database's name '@' is written %40";

/// The parts of a URI, delimited as libpq delimits them.
struct UriParts {
  std::string_view user;  // up to the first ':' of the text before the first '@', if that is before any '/'
  std::optional<std::string_view> password;  // after a ':'
  std::string_view hosts;                    // up to the path or the query
  std::string_view path;                     // with its '/'
  std::string_view query;                    // without the '?'
};

UriParts split_uri(std::string_view uri) {
  uri.remove_prefix(uri.find("://") + 3);
  UriParts parts;
  auto const mark = uri.find_first_of("@/");
  if (mark != uri.npos && uri[mark] == '@') {
    auto const credentials = uri.substr(0, mark);
    parts.user = credentials.substr(0, credentials.find(':'));
    if (parts.user.size() != credentials.size()) parts.password = credentials.substr(parts.user.size() + 1);
    uri.remove_prefix(mark + 1);
  }
  auto const query = std::min(uri.find('?'), uri.size());
  auto const path = std::min(uri.find('/'), query);
  parts.hosts = uri.substr(0, path);
  parts.path = uri.substr(path, query - path);
  parts.query = uri.substr(std::min(query + 1, uri.size()));
  return parts;
}

/// Describes an ambiguity in a URI that libpq accepts but in which a password may be taken for another part, which
/// messages would then show.
std::string ambiguity_of(UriParts const& parts) {
  constexpr auto has = [](std::string_view text, char c) { return text.find(c) != text.npos; };
  if (has(parts.user, '?')) return "the database URL has a '?' before an '@'; in a user's name '?' is written %3F";
  // libpq reads `postgresql://h:5432?password=a@b` as a user, a password and the host `b`.
  auto const question = parts.password ? parts.password->find('?') : std::string_view::npos;
  if (question != std::string_view::npos && has(percent_decoded(parts.password->substr(question)), '='))
    return "the database URL has a '?' and a '=' before an '@'; in an option '@' is written %40, and in a password '?' "
           "is %3F and '=' %3D";
  if (has(parts.hosts, '@')) return "a host of the database URL has an '@' in it" + std::string(encoded_at);
  if (has(parts.path, '@')) return "the database's name in the URL has an '@' in it" + std::string(encoded_at);
  // In `postgresql://u:12/x?user=y@h/db` people see a password, but libpq a port, a database name and an option.
  if (has(parts.query, '@') && (parts.password || has(parts.hosts, ':')))
    return "the database URL has an '@' behind its '?'" + std::string(encoded_at) + ", and in an option as well";
  if (std::ranges::count(parts.hosts, '[') != std::ranges::count(parts.hosts, ']'))
    return "a '[' or ']' of the database URL lacks the other; an IPv6 address is written [::1]";
  return {};
}

/// Removes `prepare=on|off` from the options. Returns false if it is given twice or has another value.
bool take_prepare(std::vector<std::string_view>& options, std::optional<bool>& prepare) {
  for (auto option = options.begin(); option != options.end();) {
    auto const equals = option->find('=');
    if (percent_decoded(option->substr(0, equals)) != "prepare") {
      ++option;
      continue;
    }
    auto const value = equals == option->npos ? "" : percent_decoded(option->substr(equals + 1));
    if (prepare || (value != "on" && value != "off")) return false;
    prepare = value == "on";
    option = options.erase(option);
  }
  return true;
}

using Options = std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)>;

bool knows(PQconninfoOption const* option, std::string_view keyword) {
  for (; option->keyword != nullptr; ++option)
    if (option->keyword == keyword) return true;
  return false;
}

/// Returns the name of an option that is unknown to libpq, unless it could be part of a password.
std::string unknown_option(std::vector<std::string_view> const& options) {
  constexpr std::string_view what = "the database URL has an option that PostgreSQL's library does not know";
  Options const known(PQconninfoParse("postgresql://", nullptr), &PQconninfoFree);
  if (!known) return std::string(what);
  for (auto const option : options) {
    auto const keyword = percent_decoded(option.substr(0, option.find('=')));
    auto const plain = [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; };
    if (!knows(known.get(), keyword) && std::ranges::all_of(keyword, plain)) return std::string(what) + ": " + keyword;
    // The text after it may be the rest of a password that contains '&'.
    if (keyword.find("pass") != keyword.npos) break;
  }
  return std::string(what);
}

/// Rewords libpq's complaint about a URI without quoting any part of it.
std::string reworded(std::string_view complaint, std::vector<std::string_view> const& options) {
  struct Wording {
    std::string_view libpq, ours;
  };
  constexpr std::array wordings{
      Wording{"invalid percent-encoded", "a '%' in the database URL is no escape; '%' itself is written %25"},
      Wording{"forbidden value", "the database URL has %00 in it"},
      Wording{"IPv6 host address may not be empty", "the database URL has a host '[]'"},
      Wording{"unexpected character", "the database URL has neither ':', ',', '/' nor '?' behind a ']'"},
      Wording{"extra key/value separator", "an option of the database URL has two '='; in a value '=' is written %3D"},
      Wording{"missing key/value separator",
              "an option of the database URL has no '='; in a password '?' is written %3F, '&' %26 and '/' %2F"},
  };
  if (complaint.starts_with("invalid URI query parameter")) return unknown_option(options);
  for (auto const& wording : wordings)
    if (complaint.starts_with(wording.libpq)) return std::string(wording.ours);
  return "the database URL cannot be understood";
}

/// True if `list` consists of ports separated by commas, each of which may be empty.
bool are_ports(std::string_view list) {
  return std::ranges::all_of(split(list, ','), [](std::string_view text) {
    unsigned port = 1;
    auto const* const end = text.data() + text.size();
    auto const read = std::from_chars(text.data(), end, port);
    return text.empty() || (read.ec == std::errc() && read.ptr == end && port >= 1 && port <= 65535);
  });
}

std::string none_of(std::string_view keyword, auto const& words) {
  auto complaint = "the database URL's " + std::string(keyword) + " is none of ";
  for (std::string_view const word : words) complaint.append(word).append(word == words.back() ? "" : ", ");
  return complaint;
}

/// Checks what libpq would report only when connecting, or never, where deployd replaces its message. Returns an empty
/// text if all is well.
std::string complaint_about(std::string_view keyword, std::string_view value) {
  constexpr std::array attributes{"any", "read-write", "read-only", "primary", "standby", "prefer-standby"};
  constexpr std::array modes{"disable", "allow", "prefer", "require", "verify-ca", "verify-full"};
  if (value.empty()) return {};
  auto const is_one_of = [value](auto const& words) { return std::ranges::find(words, value) != words.end(); };
  if (keyword == "port" && !are_ports(value))
    return "a port in the database URL is not a number from 1 to 65535; in a password '/' is written %2F and ':' %3A";
  if (keyword == "host" && value.find('@') != value.npos)
    return "a host of the database URL has an '@' in it" + std::string(encoded_at);
  if (keyword == "target_session_attrs" && !is_one_of(attributes)) return none_of(keyword, attributes);
  if (keyword == "sslmode" && !is_one_of(modes)) return none_of(keyword, modes);
  return {};
}

Parsed parse_postgresql(std::string_view text) {
  if (text.find('\0') != text.npos) return "the database URL has a NUL byte in it";
  auto const parts = split_uri(text);
  if (auto complaint = ambiguity_of(parts); !complaint.empty()) return complaint;
  PostgresqlUrl url;
  auto options = split(parts.query, '&');
  if (!take_prepare(options, url.prepare)) return "prepare in the database URL is neither on nor off";
  std::string uri(text.substr(0, text.size() - parts.query.size()));
  if (uri.ends_with('?')) uri.pop_back();
  for (char mark = '?'; auto const option : options) {
    (uri += mark).append(option);
    mark = '&';
  }
  char* error = nullptr;
  Options const parsed(PQconninfoParse(uri.c_str(), &error), &PQconninfoFree);
  std::unique_ptr<char, decltype(&PQfreemem)> const message(error, &PQfreemem);
  if (!parsed) return reworded(error != nullptr ? error : "", options);
  for (auto const* option = parsed.get(); option->keyword != nullptr; ++option) {
    if (option->val == nullptr) continue;
    if (auto complaint = complaint_about(option->keyword, option->val); !complaint.empty()) return complaint;
    url.parameters.emplace(option->keyword, option->val);
  }
  return url;
}

Parsed parse(std::string_view text) {
  constexpr std::string_view sqlite = "sqlite:";
  if (text.starts_with(sqlite)) return parse_sqlite(text.substr(sqlite.size()));
  if (text.starts_with("postgresql://") || text.starts_with("postgres://")) return parse_postgresql(text);
  return "a database URL begins with sqlite: or postgresql://";
}

// --- Showing --------------------------------------------------------------------------------------------------------

void replace_all(std::string& text, std::string_view what, std::string_view by) {
  for (auto at = text.find(what); at != text.npos; at = text.find(what, at + by.size()))
    text.replace(at, what.size(), by);
}

std::string shown_hosts(PostgresqlUrl const& url) {
  auto const hosts = split(url["host"].empty() ? url["hostaddr"] : url["host"], ',');
  auto const ports = split(url["port"], ',');
  std::string shown;
  for (std::size_t i = 0; i < std::max(hosts.size(), ports.size()); ++i) {
    if (i != 0) shown += ',';
    auto const host = i < hosts.size() ? hosts[i] : std::string_view();
    bool const is_ipv6 = host.find(':') != host.npos;
    auto encoded = percent_encoded(host);
    replace_all(encoded, "%3A", ":");
    shown += is_ipv6 ? "[" + encoded + "]" : encoded;
    if (ports.empty()) continue;
    auto const port = ports[std::min(i, ports.size() - 1)];
    if (!port.empty()) shown.append(":").append(port);
  }
  return shown;
}

std::string masked(std::string_view message, DatabaseUrl const& url) {
  std::string text(message);
  auto const* const postgresql = std::get_if<PostgresqlUrl>(&url);
  if (postgresql == nullptr) return text;
  for (auto const* const secret : secrets) {
    auto const value = (*postgresql)[secret];
    if (value.size() < shortest_masked) continue;
    replace_all(text, value, mask);
    replace_all(text, percent_encoded(value), mask);
  }
  return text;
}

/// Removes the indented lines in which libpq asks whether the server is running at all.
void leave_out_questions(std::string& message) {
  for (auto at = message.find("\n\t"); at != message.npos; at = message.find("\n\t", at))
    message.erase(at, std::min(message.find('\n', at + 1), message.size()) - at);
}

std::string in_one_line(std::string line) {
  while (!line.empty() && (line.back() == '\n' || line.back() == ' ')) line.pop_back();
  leave_out_questions(line);
  replace_all(line, "\n", "; ");
  std::replace_if(
      line.begin(), line.end(), [](char c) { return c == '\r' || c == '\t'; }, ' ');
  return line;
}

}  // namespace

std::string_view PostgresqlUrl::operator[](std::string_view keyword) const {
  auto const found = parameters.find(keyword);
  return found == parameters.end() ? std::string_view() : found->second;
}

boost::system::result<DatabaseUrl> parse_database_url(std::string_view text) {
  auto parsed = parse(text);
  if (!parsed) return make_error_code(errc::bad_database_url);
  return *std::move(parsed);
}

std::string database_url_complaint(std::string_view text) {
  return parse(text).error();
}

bool holds_password(DatabaseUrl const& url) {
  auto const* const postgresql = std::get_if<PostgresqlUrl>(&url);
  return postgresql != nullptr &&
         std::ranges::any_of(secrets, [&](auto const* secret) { return !(*postgresql)[secret].empty(); });
}

std::string connection_uri(PostgresqlUrl const& url) {
  std::string uri = "postgresql://";
  char mark = '?';
  for (auto const& [keyword, value] : url.parameters) {
    uri += mark + keyword + '=' + percent_encoded(value);
    mark = '&';
  }
  return uri;
}

std::string describe(DatabaseUrl const& url) {
  if (auto const* sqlite = std::get_if<SqliteUrl>(&url)) return "sqlite:" + sqlite->path;
  auto const& postgresql = std::get<PostgresqlUrl>(url);
  std::string text = "postgresql://";
  if (!postgresql["user"].empty()) text += percent_encoded(postgresql["user"]) + '@';
  text += shown_hosts(postgresql);
  if (!postgresql["dbname"].empty()) text += '/' + percent_encoded(postgresql["dbname"]);
  return text;
}

std::string without_passwords(std::string_view message, DatabaseUrl const& url) {
  return in_one_line(masked(message, url));
}

std::string first_line_without_passwords(std::string_view message, DatabaseUrl const& url) {
  auto const text = masked(message, url);
  return in_one_line(text.substr(0, text.find('\n')));
}

}  // namespace deployd::storage
