// What deployd-bench was told.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "bench/tls.hpp"
#include "bench/url.hpp"

namespace deployd::bench {

/// The command line, parsed and checked.
struct Options {
  std::string url_text;
  Url url;
  std::string fields;       // the header fields of every request, each ended by CRLF
  bool authorized = false;  // a token, or an Authorization of its own, is among them
  unsigned connections = 64;
  unsigned threads = 1;
  std::optional<std::uint64_t> requests;  // in place of a duration
  std::chrono::nanoseconds duration{std::chrono::seconds(10)};
  std::chrono::nanoseconds warmup{std::chrono::seconds(1)};
  std::chrono::nanoseconds timeout{std::chrono::seconds(10)};
  std::optional<double> rate;  // requests a second; nothing: a closed loop
  unsigned pipeline = 1;
  bool new_connections = false;  // one for each request
  TlsWishes tls;
  unsigned expect_status = 200;
  std::optional<unsigned> overload_status;  // neither right nor wrong: the server has too much to do
  std::optional<std::string> expect_body;
  std::string json_file;
  std::string html_file;
  std::string compare_file;
  double tolerance = 0.1;
  std::vector<std::string> command;  // the arguments as given, credentials made unreadable
};

/// A command line that cannot be followed; `what()` is one line that names the option.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Reads the command line, and the files it names. Throws `UsageError`. Nothing when help or the version was asked for
/// and has been printed to stdout.
std::optional<Options> parse_options(int argc, char const* const* argv);

/// The default of --threads: all cores that this process may run on but one, and at least one.
unsigned default_threads();

}  // namespace deployd::bench
