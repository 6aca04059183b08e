// The options of deployd-bench.
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

/// The parsed and checked command line.
struct Options {
  std::string url_text;
  Url url;
  std::string fields;       // header fields of every request, each ending in CRLF
  bool authorized = false;  // they include a token or an Authorization field
  unsigned connections = 64;
  unsigned threads = 1;
  std::optional<std::uint64_t> requests;  // instead of a duration
  std::chrono::nanoseconds duration{std::chrono::seconds(10)};
  std::chrono::nanoseconds warmup{std::chrono::seconds(1)};
  std::chrono::nanoseconds timeout{std::chrono::seconds(10)};
  std::optional<double> rate;  // requests per second; nothing for a closed loop
  unsigned pipeline = 1;
  bool new_connections = false;  // one connection per request
  TlsWishes tls;
  unsigned expect_status = 200;
  std::optional<unsigned> overload_status;  // neither correct nor an error: the server is overloaded
  std::optional<std::string> expect_body;
  std::string json_file;
  std::string html_file;
  std::string compare_file;
  double tolerance = 0.1;
  std::vector<std::string> command;  // the arguments as given, with credentials masked
};

/// Thrown for an invalid command line. `what()` is one line that names the option.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Parses the command line and reads the files that it names. Throws `UsageError`. Returns nothing after printing help
/// or the version to stdout.
std::optional<Options> parse_options(int argc, char const* const* argv);

/// Returns the number of cores available to this process.
unsigned available_cores();

}  // namespace deployd::bench
