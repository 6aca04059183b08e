#include "routing/accept.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <string_view>

using namespace deployd::routing;

TEST_CASE("the form of metrics is the one that Accept prefers") {
  struct Row {
    std::string_view accept;
    MetricsFormat format;
  };
  constexpr auto plain = MetricsFormat::prometheus;
  constexpr auto open = MetricsFormat::openmetrics;
  auto const row = GENERATE(
      Row{"", plain}, Row{"*/*", plain}, Row{"text/plain", plain}, Row{"application/json", plain},
      Row{"application/openmetrics-text", open}, Row{"Application/OpenMetrics-Text; Version=1.0.0", open},
      Row{"application/openmetrics-text; version=0.0.1", open},
      Row{"application/openmetrics-text; version=2.0.0", plain},
      Row{"application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
          "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
          open},
      Row{"text/plain;version=0.0.4;q=0.8,application/openmetrics-text;version=1.0.0;q=0.5", plain},
      Row{"application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;version=0.0.4;q=0.2", open},
      Row{"application/openmetrics-text;q=0", plain}, Row{"application/openmetrics-text;q=0.001", open},
      Row{"application/openmetrics-text;q=0.25,text/plain;q=0.3", plain},
      Row{",;,=;q=,application/openmetrics-text", plain}, Row{"application/openmetrics-text;q=x", plain},
      Row{"application/openmetrics-text ; q=0.5 , text/plain ; q=0.5", open});
  CAPTURE(row.accept);
  CHECK(choose_metrics_format(row.accept) == row.format);
}
