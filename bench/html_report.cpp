#include "bench/html_report.hpp"

namespace deployd::bench {

std::string html_report(Options const&, Results const&) {
  return "<!doctype html>\n";
}

}  // namespace deployd::bench
