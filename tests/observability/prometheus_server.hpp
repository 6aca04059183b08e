// A real Prometheus for tests: its own directory, its own port, gone with the object.
#pragma once

#include <boost/json/value.hpp>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/process.hpp"

namespace deployd::tests {

/// The path of a program that stands in PATH. Throws std::runtime_error when none does.
std::string find_program(std::string_view name);

class PrometheusServer {
 public:
  /// Scrapes the port `target` of 127.0.0.1 twice a second, as the job `deployd`, and evaluates `rules`. Ready when it
  /// returns.
  PrometheusServer(std::uint16_t target, std::filesystem::path const& rules);

  /// The value of each series that a query finds now. Throws std::runtime_error when Prometheus refuses the query.
  std::vector<double> query(std::string const& expression) const;

  /// What its API says (`data` of /api/v1/`path`). Throws std::runtime_error when it refuses.
  boost::json::value ask(std::string const& path) const;

 private:
  TemporaryDirectory directory_;
  std::unique_ptr<Process> process_;
  std::uint16_t port_ = 0;
};

}  // namespace deployd::tests
