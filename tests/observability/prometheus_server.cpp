#include "tests/observability/prometheus_server.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <boost/json/parse.hpp>

#include <cstdlib>
#include <stdexcept>

#include "base/percent_encoding.hpp"
#include "tests/integration/http_connection.hpp"
#include "tests/integration/running_deployd.hpp"

namespace deployd::tests {

std::string find_program(std::string_view name) {
  auto const* const path = std::getenv("PATH");
  std::string_view folders = path == nullptr ? "/usr/bin" : path;
  while (!folders.empty()) {
    auto const folder = folders.substr(0, folders.find(':'));
    folders.remove_prefix(std::min(folders.size(), folder.size() + 1));
    auto program = fmt::format("{}/{}", folder, name);
    if (::access(program.c_str(), X_OK) == 0) return program;
  }
  throw std::runtime_error(fmt::format("there is no program {}: ./dev bootstrap installs it", name));
}

PrometheusServer::PrometheusServer(std::uint16_t target, std::filesystem::path const& rules) {
  auto const configuration = directory_.write("prometheus.yml", fmt::format(R"(
global: {{scrape_interval: 500ms, scrape_timeout: 500ms, evaluation_interval: 250ms}}
rule_files: ['{}']
scrape_configs:
  - job_name: deployd
    static_configs: [{{targets: ['127.0.0.1:{}']}}]
)",
                                                                            rules.string(), target));
  Command command;
  command.arguments = {find_program("prometheus"), "--config.file=" + configuration,
                       "--storage.tsdb.path=" + (directory_.path() / "data").string(),
                       "--web.listen-address=127.0.0.1:0"};
  process_ = std::make_unique<Process>(command);
  auto const line = process_->wait_for_line("\"Listening on\"");
  port_ = static_cast<std::uint16_t>(std::stoul(line.substr(line.rfind(':') + 1)));
  process_->wait_for_line("Server is ready");
}

boost::json::value PrometheusServer::ask(std::string const& path) const {
  auto const answer = HttpConnection(port_).ask(request("GET", "/api/v1/" + path));
  auto const document = boost::json::parse(answer.body);
  if (answer.status != 200) throw std::runtime_error("Prometheus refuses " + path + ": " + answer.body);
  return document.at("data");
}

std::vector<double> PrometheusServer::query(std::string const& expression) const {
  std::string path = "query?query=";
  base::append_percent_encoded(path, expression);
  auto const data = ask(path);
  std::vector<double> values;
  for (auto const& series : data.at("result").as_array())
    values.push_back(std::stod(std::string(series.at("value").at(1).as_string())));
  return values;
}

}  // namespace deployd::tests
