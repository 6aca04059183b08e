#include "bench/options.hpp"

#include <sched.h>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

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
Number number(std::string const& option, std::string const& text, Number least, Number most) {
  Number value{};
  auto const end = text.data() + text.size();
  auto const [at, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || at != end || !(value >= least && value <= most))
    refuse(option, "'" + text + "' is not a number it takes");
  return value;
}

// Parses `500ms`, `10s`, `5m`, `1h`, `30d`.
std::chrono::nanoseconds duration(std::string const& option, std::string const& text) {
  auto const digits = std::min(text.find_first_not_of("0123456789"), text.size());
  auto const unit = text.substr(digits);
  std::int64_t const milliseconds = unit == "ms"  ? 1
                                    : unit == "s" ? 1000
                                    : unit == "m" ? 60'000
                                    : unit == "h" ? 3'600'000
                                    : unit == "d" ? 86'400'000
                                                  : 0;
  if (milliseconds == 0) refuse(option, "'" + text + "' is not a duration such as 500ms, 10s or 5m");
  auto const most = std::chrono::hours(24 * 30) / std::chrono::milliseconds(1) / milliseconds;
  return std::chrono::milliseconds(number<std::int64_t>(option, text.substr(0, digits), 0, most) * milliseconds);
}

double share(std::string const& option, std::string text) {
  if (!text.ends_with('%')) refuse(option, "'" + text + "' is not a percentage such as 10%");
  text.pop_back();
  return number<double>(option, text, 0.0, 1e6) / 100;
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

bool names(std::string const& field, std::string_view lowered) {
  return field.size() > lowered.size() && field[lowered.size()] == ':' &&
         std::equal(lowered.begin(), lowered.end(), field.begin(),
                    [](char a, char b) { return a == std::tolower(static_cast<unsigned char>(b)); });
}

// True for fields whose values are secrets.
bool is_secret(std::string const& field) {
  return names(field, "authorization") || names(field, "proxy-authorization") || names(field, "cookie");
}

struct Given {
  std::string url, token_file, duration = "10s", warmup = "1s", timeout = "10s", tolerance = "10%";
  std::string connections = "64", threads, requests, rate, pipeline = "1", expect_status = "200", overload_status;
  std::string expect_body;
  std::optional<std::string> token;
  std::vector<std::string> headers;
  bool new_connections = false;
  TlsWishes tls;
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
  if (given.new_connections) all += "Connection: close\r\n";
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

TlsWishes checked_tls(TlsWishes const& wishes, Url const& url) {
  auto const unused = [&](bool given, char const* option) {
    if (given && !url.secure) refuse(option, "needs an https URL");
  };
  unused(!wishes.ca_file.empty(), "--ca");
  unused(wishes.insecure, "--insecure");
  unused(wishes.resume, "--resume");
  if (wishes.ca_file.empty()) return wishes;
  file_contents("--ca", wishes.ca_file);
  try {
    TlsClient const client(url.host, wishes);
  } catch (std::runtime_error const& error) {
    refuse("--ca", error.what());
  }
  return wishes;
}

Options checked(Given const& given) {
  Options options;
  options.url_text = given.url;
  try {
    options.url = parse_url(given.url);
  } catch (std::invalid_argument const& error) {
    refuse("URL", error.what());
  }
  set_fields(options, given);
  options.connections = number<unsigned>("--connections", given.connections, 1, 1'000'000);
  options.threads = given.threads.empty() ? default_threads() : number<unsigned>("--threads", given.threads, 1, 1024);
  options.threads = std::min(options.threads, options.connections);
  if (!given.requests.empty())
    options.requests = number<std::uint64_t>("--requests", given.requests, 1, std::uint64_t{1} << 60);
  options.duration = duration("--duration", given.duration);
  if (options.duration.count() == 0) refuse("--duration", "must be more than nothing");
  options.warmup = duration("--warmup", given.warmup);
  options.timeout = duration("--timeout", given.timeout);
  if (options.timeout.count() == 0) refuse("--timeout", "must be more than nothing");
  if (!given.rate.empty()) options.rate = number<double>("--rate", given.rate, 1e-3, 1e9);
  options.pipeline = number<unsigned>("--pipeline", given.pipeline, 1, 10'000);
  options.new_connections = given.new_connections;
  if (options.new_connections && (options.rate || options.pipeline > 1))
    refuse("--new-connections", "cannot be combined with --rate or --pipeline");
  options.tls = checked_tls(given.tls, options.url);
  options.expect_status = number<unsigned>("--expect-status", given.expect_status, 200, 599);
  if (!given.overload_status.empty())
    options.overload_status = number<unsigned>("--overload-status", given.overload_status, 200, 599);
  if (options.overload_status == options.expect_status)
    refuse("--overload-status", "is the status that is expected of right answers");
  if (!given.expect_body.empty()) options.expect_body = file_contents("--expect-body", given.expect_body);
  options.tolerance = share("--tolerance", given.tolerance);
  return options;
}

}  // namespace

unsigned default_threads() {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  if (sched_getaffinity(0, sizeof cores, &cores) != 0) return 1;
  return static_cast<unsigned>(std::max(1, CPU_COUNT(&cores) - 1));
}

std::optional<Options> parse_options(int argc, char const* const* argv) {
  CLI::App app("Loads an HTTP server with GETs and checks each answer.", "deployd-bench");
  app.set_version_flag("--version", "deployd-bench " DEPLOYD_VERSION);
  Given given;
  Options files;
  app.add_option("URL", given.url, "http://host:port/path, or https; {1..5000} takes the next number at each request")
      ->required();
  auto* token = app.add_option("--token", given.token, "sent as Authorization: Bearer");
  app.add_option("--token-file", given.token_file, "a file with the token")->excludes(token);
  app.add_option("--header", given.headers, "'Name: value', sent with each request; repeatable")
      ->expected(1)
      ->take_all();
  app.add_option("-c,--connections", given.connections, "connections kept open")->capture_default_str();
  app.add_option("-t,--threads", given.threads, "threads (default: all cores but one)");
  auto* duration_option =
      app.add_option("-d,--duration", given.duration, "what is counted lasts so long")->capture_default_str();
  app.add_option("-n,--requests", given.requests, "count exactly so many requests instead")->excludes(duration_option);
  app.add_option("--warmup", given.warmup, "load before it, not counted; what it left unsent is dropped")
      ->capture_default_str();
  app.add_option("-R,--rate", given.rate, "open loop: so many requests a second, on schedule");
  app.add_option("--pipeline", given.pipeline, "requests in flight on a connection")->capture_default_str();
  app.add_flag("--new-connections", given.new_connections, "a connection for each request, its opening counted in");
  auto* ca =
      app.add_option("--ca", given.tls.ca_file,
                     "https: trust the authorities, or the certificate, of this PEM file instead of the system's");
  app.add_flag("--insecure", given.tls.insecure, "https: whoever answers is trusted, and gets the token")->excludes(ca);
  app.add_flag("--resume", given.tls.resume, "https: resume sessions of TLS when connecting anew");
  app.add_option("--expect-status", given.expect_status, "another status is an error")->capture_default_str();
  app.add_option("--overload-status", given.overload_status,
                 "what a server says that has too much to do, as 503: counted apart instead of as an error");
  app.add_option("--expect-body", given.expect_body, "a file; other bytes are an error");
  app.add_option("--timeout", given.timeout, "of one answer")->capture_default_str();
  app.add_option("--json", files.json_file, "write the results for programs");
  app.add_option("--html", files.html_file, "write the results for people, one page");
  auto* compare =
      app.add_option("--compare", files.compare_file,
                     "exit 3 when the rate or the p99 (--rate: or the median) is worse than in this earlier --json");
  app.add_option("--tolerance", given.tolerance, "how much slower")->capture_default_str()->needs(compare);
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
  auto options = checked(given);
  options.json_file = files.json_file;
  options.html_file = files.html_file;
  options.compare_file = files.compare_file;
  require_writable("--json", options.json_file);
  require_writable("--html", options.html_file);
  options.command = command_without_secrets(argc, argv);
  return options;
}

}  // namespace deployd::bench
