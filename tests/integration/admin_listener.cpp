#include "tests/integration/admin_listener.hpp"

#include <sstream>
#include <stdexcept>

namespace deployd::tests {

std::uint16_t admin_port(RunningDeployd& server) {
  constexpr std::string_view before = "/readyz on 127.0.0.1:";
  auto const& log = server.process().err();
  auto const at = log.rfind(before);
  if (at == log.npos) throw std::runtime_error("no admin listener in the log: " + log);
  return static_cast<std::uint16_t>(std::stoul(log.substr(at + before.size())));
}

Metrics::Metrics(std::string const& document) {
  std::istringstream lines(document);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    if (line.starts_with("# ")) {
      std::string hash;
      std::string kind;
      std::string name;
      std::string rest;
      words >> hash >> kind >> name >> std::ws;
      std::getline(words, rest);
      if (kind == "HELP") families_[name].help = rest;
      if (kind == "TYPE") families_[name].type = rest;
      continue;
    }
    auto const space = line.rfind(' ');
    auto const [at, added] = samples_.emplace(line.substr(0, space), std::stod(line.substr(space + 1)));
    if (!added) throw std::runtime_error("twice: " + line);
  }
}

Metrics Metrics::of(std::uint16_t admin_port) {
  auto const answer = HttpConnection(admin_port).ask(request("GET", "/metrics"));
  if (answer.status != 200) throw std::runtime_error("no metrics: " + answer.head);
  return Metrics(answer.body);
}

double Metrics::operator[](std::string const& sample) const {
  auto const found = samples_.find(sample);
  if (found == samples_.end()) throw std::runtime_error("no sample " + sample);
  return found->second;
}

}  // namespace deployd::tests
