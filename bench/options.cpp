#include "bench/options.hpp"

#include <fmt/format.h>
#include <sched.h>

#include <CLI/CLI.hpp>
#include <boost/beast/core/string.hpp>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>

#include "base/byte_order_mark.hpp"

namespace deployd::bench {
namespace {

[[noreturn]] void refuse(std::string const& option, std::string const& why) {
  throw UsageError(option + ": " + why);
}

std::string file_contents(std::string const& option, std::string const& path) {
  std::ifstream file(path, std::ios::binary);
  std::string contents{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (!file) refuse(option, "cannot read " + path);
  return contents;
}

// Does not leave an empty file behind that a program could take for results.
void require_writable(std::string const& option, std::string const& path) {
  if (path.empty()) return;
  bool const existed = std::filesystem::exists(path);
  if (!std::ofstream(path, std::ios::app)) refuse(option, "cannot write " + path);
  std::error_code ignored;
  if (!existed) std::filesystem::remove(path, ignored);
}

template <typename Number>
Number number(std::string const& option, std::string_view text, Number least, Number most) {
  Number value{};
  auto const end = text.data() + text.size();
  auto const [at, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || at != end || !(value >= least && value <= most))
    refuse(option, fmt::format("'{}' is not a number from {} to {}", text, least, most));
  return value;
}

// Parses `500ms`, `10s`, `5m`, `1h`, `30d`.
std::chrono::nanoseconds duration(std::string const& option, std::string const& text, std::int64_t least) {
  static std::map<std::string, std::int64_t> const units{
      {"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};
  auto const digits = std::min(text.find_first_not_of("0123456789"), text.size());
  auto const unit = units.find(text.substr(digits));
  if (unit == units.end()) refuse(option, "'" + text + "' is not a duration such as 500ms, 10s or 5m");
  auto const most = units.at("d") * 30 / unit->second;
  return std::chrono::milliseconds(number(option, text.substr(0, digits), least, most) * unit->second);
}

double share(std::string const& option, std::string const& text) {
  if (!text.ends_with('%')) refuse(option, "'" + text + "' is not a percentage such as 10%");
  return number(option, text.substr(0, text.size() - 1), 0.0, 1e6) / 100;
}

bool is_token_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

bool has_control_character(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7F; });
}

std::string field(std::string const& text) {
  auto const colon = text.find(':');
  if (colon == std::string::npos || colon == 0) refuse("--header", "'" + text + "' is not of the form 'Name: value'");
  std::string const name = text.substr(0, colon);
  if (!std::all_of(name.begin(), name.end(), is_token_character))
    refuse("--header", "'" + name + "' is not a field name");
  auto const start = std::min(text.find_first_not_of(" \t", colon + 1), text.size());
  std::string const value = text.substr(start);
  if (has_control_character(value)) refuse("--header", "the value of " + name + " holds a control character");
  return name + ": " + value + "\r\n";
}

bool names(std::string_view field, std::string_view name) {
  auto const colon = field.find(':');
  return colon != field.npos && boost::beast::iequals(field.substr(0, colon), name);
}

// True for fields whose values are secrets.
bool is_secret(std::string const& field) {
  return names(field, "authorization") || names(field, "proxy-authorization") || names(field, "cookie");
}

// The options from which the fields of the requests are made.
struct Given {
  std::string token_file;
  std::optional<std::string> token;
  std::vector<std::string> headers;
};

// Returns the token of --token or --token-file, if one is given.
std::optional<std::string> token_of(Given const& given) {
  auto token = given.token;
  if (!given.token_file.empty()) {
    token = base::without_byte_order_mark(file_contents("--token-file", given.token_file));
    if (token->ends_with('\n')) token->pop_back();
    if (token->ends_with('\r')) token->pop_back();
    if (token->empty()) refuse("--token-file", given.token_file + " is empty; it must hold the token");
  }
  if (!token) return {};
  auto const option = given.token_file.empty() ? "--token" : "--token-file";
  if (token->empty()) refuse(option, "the token is empty");
  if (has_control_character(*token) || token->find(' ') != std::string::npos) refuse(option, "a token is one word");
  return token;
}

void set_fields(Options& options, Given const& given) {
  std::string all;
  bool host = false;
  for (auto const& header : given.headers) {
    auto const line = field(header);
    host = host || names(line, "host");
    options.authorized = options.authorized || names(line, "authorization");
    if (names(line, "content-length") || names(line, "transfer-encoding"))
      refuse("--header", "the requests have no body");
    all += line;
  }
  if (!host) all.insert(0, "Host: " + options.url.authority + "\r\n");
  if (auto const token = token_of(given)) {
    all += "Authorization: Bearer " + *token + "\r\n";
    options.authorized = true;
  }
  if (options.new_connections) all += "Connection: close\r\n";
  options.fields = std::move(all);
}

std::vector<std::string> command_without_secrets(int argc, char const* const* argv) {
  std::vector<std::string> command(argv, argv + argc);
  for (std::size_t i = 1; i < command.size(); ++i) {
    if (command[i].starts_with("--token=")) command[i] = "--token=...";
    if (command[i - 1] == "--token") command[i] = "...";
    std::string const option = command[i].starts_with("--header=") ? "--header=" : "";
    auto const header = command[i].substr(option.size());
    if (is_secret(header)) command[i] = option + header.substr(0, header.find(':')) + ": ...";
  }
  return command;
}

void check_tls(TlsWishes const& wishes, Url const& url) {
  auto const unused = [&](bool given, char const* option) {
    if (given && !url.secure) refuse(option, "needs an https URL");
  };
  unused(!wishes.ca_file.empty(), "--ca");
  unused(wishes.insecure, "--insecure");
  unused(wishes.resume, "--resume");
  if (wishes.ca_file.empty()) return;
  file_contents("--ca", wishes.ca_file);
  try {
    TlsClient const client(url.host, wishes);
  } catch (std::runtime_error const& error) {
    refuse("--ca", error.what());
  }
}

// Completes the options with what depends on several of them.
void complete(Options& options, Given const& given) {
  try {
    options.url = parse_url(options.url_text);
  } catch (std::invalid_argument const& error) {
    refuse("URL", error.what());
  }
  set_fields(options, given);
  options.threads = std::min(options.threads, options.connections);
  if (options.new_connections && (options.rate || options.pipeline > 1))
    refuse("--new-connections", "cannot be combined with --rate or --pipeline");
  check_tls(options.tls, options.url);
  if (options.overload_status == options.expect_status)
    refuse("--overload-status", "is the status that is expected of right answers");
  require_writable("--json", options.json_file);
  require_writable("--html", options.html_file);
}

}  // namespace

unsigned available_cores() {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  return sched_getaffinity(0, sizeof cores, &cores) == 0 ? static_cast<unsigned>(CPU_COUNT(&cores)) : 1;
}

std::optional<Options> parse_options(int argc, char const* const* argv) {
  CLI::App app("Loads an HTTP server with GETs and checks each answer.", "deployd-bench");
  app.set_version_flag("--version", "deployd-bench " DEPLOYD_VERSION);
  Given given;
  Options options;
  options.threads = std::max(1U, available_cores() - 1);
  // An option whose value `set` stores.
  auto const add = [&app](std::string const& names, auto set, std::string const& help, char const* standard = "") {
    auto const option = names.substr(names.find("--"));
    return app
        .add_option_function<std::string>(
            names, [option, set](std::string const& text) { set(option, text); }, help)
        ->default_str(standard);
  };
  auto const number_in = [](auto& value, auto least, auto most) {
    return [&value, least, most](auto const& option, auto const& text) { value = number(option, text, least, most); };
  };
  auto const duration_in = [](auto& value, std::int64_t least) {
    return [&value, least](auto const& option, auto const& text) { value = duration(option, text, least); };
  };
  app.add_option("URL", options.url_text,
                 "http://host:port/path, or https; {1..5000} takes the next number at each request")
      ->required();
  auto* token = app.add_option("--token", given.token, "sent as Authorization: Bearer");
  app.add_option("--token-file", given.token_file, "a file with the token")->excludes(token);
  app.add_option("--header", given.headers, "'Name: value', sent with each request; repeatable")
      ->expected(1)
      ->take_all();
  add("-c,--connections", number_in(options.connections, 1U, 1'000'000U), "connections kept open", "64");
  add("-t,--threads", number_in(options.threads, 1U, 1024U), "threads (default: all cores but one)");
  auto* duration_option =
      add("-d,--duration", duration_in(options.duration, 1), "what is counted lasts so long", "10s");
  add("-n,--requests", number_in(options.requests, std::uint64_t{1}, std::uint64_t{1} << 60),
      "count exactly so many requests instead")
      ->excludes(duration_option);
  add("--warmup", duration_in(options.warmup, 0), "load before it, not counted; what it left unsent is dropped", "1s");
  add("-R,--rate", number_in(options.rate, 1e-3, 1e9), "open loop: so many requests a second, on schedule");
  add("--pipeline", number_in(options.pipeline, 1U, 10'000U), "requests in flight on a connection", "1");
  app.add_flag("--new-connections", options.new_connections, "a connection for each request, its opening counted in");
  auto* ca =
      app.add_option("--ca", options.tls.ca_file,
                     "https: trust the authorities, or the certificate, of this PEM file instead of the system's");
  app.add_flag("--insecure", options.tls.insecure, "https: whoever answers is trusted, and gets the token")
      ->excludes(ca);
  app.add_flag("--resume", options.tls.resume, "https: resume sessions of TLS when connecting anew");
  add("--expect-status", number_in(options.expect_status, 200U, 599U), "another status is an error", "200");
  add("--overload-status", number_in(options.overload_status, 200U, 599U),
      "what a server says that has too much to do, as 503: counted apart instead of as an error");
  auto const contents = [&](auto const& option, auto const& path) {
    options.expect_body = file_contents(option, path);
  };
  add("--expect-body", contents, "a file; other bytes are an error");
  add("--timeout", duration_in(options.timeout, 1), "of one answer", "10s");
  app.add_option("--json", options.json_file, "write the results for programs");
  app.add_option("--html", options.html_file, "write the results for people, one page");
  auto* compare =
      app.add_option("--compare", options.compare_file,
                     "exit 3 when the rate or the p99 (--rate: or the median) is worse than in this earlier --json");
  auto const tolerance = [&](auto const& option, auto const& text) { options.tolerance = share(option, text); };
  add("--tolerance", tolerance, "how much slower", "10%")->needs(compare);
  app.footer(
      "Exit status: 0 every answer was right, 1 one was not or requests could not be sent in time, 3 slower than "
      "--compare, 64 bad usage, 69 nobody answers or the certificate is not trusted.");
  try {
    app.parse(argc, argv);
  } catch (CLI::CallForHelp const&) {
    std::cout << app.help();
    return {};
  } catch (CLI::CallForVersion const&) {
    std::cout << "deployd-bench " DEPLOYD_VERSION "\n";
    return {};
  } catch (CLI::ParseError const& error) {
    std::string line = error.what();
    std::replace(line.begin(), line.end(), '\n', ' ');
    throw UsageError(line);
  }
  complete(options, given);
  options.command = command_without_secrets(argc, argv);
  return options;
}

}  // namespace deployd::bench
