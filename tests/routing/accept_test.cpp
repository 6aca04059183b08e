// RFC 9110 §12.5.1 and §12.5.3: what a client says it takes, and what it gets.
#include "routing/accept.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <random>
#include <string>
#include <string_view>
#include <vector>

using namespace deployd::routing;

namespace {

std::string_view name_of(Format format) {
  return format == Format::json ? "json" : format == Format::ndjson ? "ndjson" : "csv";
}

std::string_view format_for(std::vector<std::string_view> const& fields) {
  AcceptedFormats accepted;
  for (auto const field : fields) accepted.read(field);
  return name_of(accepted.best());
}

/// The coding, with `!` when identity is refused.
std::string coding_for(std::vector<std::string_view> const& fields) {
  AcceptedCodings accepted;
  for (auto const field : fields) accepted.read(field);
  WantedForm wanted;
  accepted.choose(wanted);
  return std::string(to_string(wanted.coding)) + (wanted.identity_refused ? "!" : "");
}

struct Row {
  std::string_view field;
  std::string_view expected;
};

}  // namespace

TEST_CASE("the format of a list is the best that Accept allows, and JSON if it allows none") {
  auto const row = GENERATE(
      // What programs send.
      Row{"*/*", "json"}, Row{"", "json"}, Row{"application/json", "json"},
      Row{"application/json, text/plain, */*", "json"},
      Row{"text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8", "json"},
      Row{"text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", "json"}, Row{"application/x-ndjson", "ndjson"},
      Row{"text/csv", "csv"}, Row{"text/csv, */*;q=0.1", "csv"}, Row{"application/x-ndjson, */*", "ndjson"},
      // Ranges.
      Row{"text/*", "csv"}, Row{"application/*", "json"}, Row{"text/*, application/json", "json"},
      Row{"text/*, application/*", "json"}, Row{"TEXT/CSV", "csv"}, Row{"Text/*", "csv"},
      // Quality values.
      Row{"application/json;q=0.5, text/csv", "csv"}, Row{"application/json;q=0.5, text/csv;q=0.4", "json"},
      Row{"text/csv;q=0.001, application/json;q=0", "csv"}, Row{"text/csv;q=0", "json"},
      Row{"text/csv;q=0, */*", "json"}, Row{"application/json;q=0, */*", "ndjson"}, Row{"application/json;q=0", "json"},
      Row{"*/*;q=0", "json"}, Row{"*/*;q=0, text/csv;q=0.1", "csv"},
      Row{"application/x-ndjson;q=1.000, text/csv;q=0.999", "ndjson"}, Row{"text/csv ; Q=1", "csv"},
      Row{"text/csv;q=1;q=0", "csv"}, Row{"text/csv;q=1;ext=\"a,b\";more", "csv"},
      Row{"application/*;q=0.2, text/csv;q=0.2", "csv"}, Row{"text/csv;q=1, text/csv;q=0", "json"},
      // Parameters of the media type.
      Row{"text/csv; charset=utf-8", "csv"}, Row{"text/csv;charset=\"UTF-8\";header=present", "csv"},
      Row{"text/csv;header=absent", "json"}, Row{"text/csv;charset=utf-16", "json"},
      Row{"application/x-ndjson;header=present", "json"},
      Row{"text/csv;header=absent, application/x-ndjson;q=0.1", "ndjson"},
      Row{"text/csv;q=0, text/csv;charset=utf-8", "csv"}, Row{"text/csv;", "csv"}, Row{"text/csv;;q=1", "csv"},
      // Lists.
      Row{", ,text/csv,,", "csv"}, Row{"\ttext/csv\t,\timage/png ", "csv"},
      // Malformed: as good as none.
      Row{"csv", "json"}, Row{"text/csv/x", "json"}, Row{"text/", "json"}, Row{"/csv", "json"}, Row{"*/csv", "json"},
      Row{"text/csv;q=2", "json"}, Row{"text/csv;q=-1", "json"}, Row{"text/csv;q=", "json"},
      Row{"text/csv;q=1.001", "json"}, Row{"text/csv;q=0.1234", "json"}, Row{"text/csv;q=\"1\"", "json"},
      Row{"text/csv;charset", "json"}, Row{"text/csv;charset=", "json"}, Row{"text/csv;charset=\"utf-8", "json"},
      Row{"text/csv;charset=\"utf-8\\", "json"}, Row{"text/csv image/png", "json"}, Row{"text/csv, \x01", "json"},
      Row{"text/csv, \xC3\xA4/x", "json"}, Row{"text/csv; q =1", "json"}, Row{"application/x-ndjson, ;", "json"});
  CAPTURE(row.field);
  CHECK(format_for({row.field}) == row.expected);
}

TEST_CASE("several fields Accept are one list") {
  CHECK(format_for({}) == "json");
  CHECK(format_for({"application/json;q=0.1", "text/csv"}) == "csv");
  CHECK(format_for({"text/csv", "application/json;q=2"}) == "json");
  CHECK(format_for({"text/csv", "application/json;q=0.5"}) == "csv");
}

TEST_CASE("the coding is the best that Accept-Encoding allows, and none if it allows none") {
  auto const row = GENERATE(
      // What programs send.
      Row{"gzip", "gzip"}, Row{"gzip, deflate", "gzip"}, Row{"gzip, deflate, br", "br"},
      Row{"gzip, deflate, br, zstd", "zstd"}, Row{"deflate, gzip, br, zstd", "zstd"}, Row{"identity", "identity"},
      Row{"", "identity"}, Row{"gzip;q=1.0,deflate;q=0.6,identity;q=0.3", "gzip"},
      Row{"gzip;q=1.0, identity; q=0.5, *;q=0", "gzip"}, Row{"compress, gzip", "gzip"}, Row{"*", "zstd"},
      // Quality values.
      Row{"gzip;q=0", "identity"}, Row{"gzip;q=0.000, br", "br"}, Row{"gzip;q=0.9, br;q=0.8", "gzip"},
      Row{"br;q=0.8, gzip;q=0.8", "br"}, Row{"gzip;q=0.001", "gzip"}, Row{"gzip;q=0.5, identity", "identity"},
      Row{"gzip;q=0.5, identity;q=0.5", "gzip"}, Row{"identity;q=0.1, zstd;q=0.2", "zstd"},
      Row{"zstd;q=0, br;q=0, gzip;q=0", "identity"}, Row{"gzip;q=0, gzip", "gzip"}, Row{"gzip, gzip;q=0", "identity"},
      // Everything else.
      Row{"*;q=0.5, gzip;q=0.1", "zstd"}, Row{"zstd;q=0, *", "br"}, Row{"zstd;q=0, br;q=0, *;q=0.1", "gzip"},
      Row{"*;q=0", "identity"}, Row{"gzip, *;q=0", "gzip!"}, Row{"*;q=0, gzip", "gzip!"},
      Row{"identity, *;q=0", "identity"}, Row{"identity, *;q=0.5", "identity"},
      Row{"zstd;q=0.1, br;q=0.1, gzip;q=0.1, *", "identity"},
      // Identity refused.
      Row{"identity;q=0", "identity"}, Row{"identity;q=0, br", "br!"}, Row{"identity;q=0, *", "zstd!"},
      Row{"identity;q=0, deflate", "identity"}, Row{"identity;q=0, gzip;q=0", "identity"},
      Row{"IDENTITY;Q=0, GZIP", "gzip!"},
      // Names.
      Row{"GZip", "gzip"}, Row{"x-gzip", "gzip"}, Row{"X-GZIP;q=0.5", "gzip"}, Row{"bro", "identity"},
      Row{"gzipp", "identity"}, Row{"br\t;\tq=1", "br"}, Row{",,br , ,", "br"},
      // Malformed: as good as none.
      Row{"gzip;q=2", "identity"}, Row{"gzip;q=1.1", "identity"}, Row{"gzip;q=0.1234", "identity"},
      Row{"gzip;q=.5", "identity"}, Row{"gzip;q=", "identity"}, Row{"gzip;q", "identity"}, Row{"gzip;", "identity"},
      Row{"gzip;level=9", "identity"}, Row{"gzip;q=1;q=1", "identity"}, Row{"gzip br", "identity"},
      Row{"gzip;q = 1", "identity"}, Row{"\"gzip\"", "identity"}, Row{"gzip, \x7F", "identity"},
      Row{"gzip, q=0;", "identity"}, Row{";q=1", "identity"}, Row{"gzip;q=1 x", "identity"},
      Row{"gzip, identity;q=0, br;q=nan", "identity"}, Row{"gzip;q=01", "identity"}, Row{"gzip;q=1,x=y", "identity"});
  CAPTURE(row.field);
  CHECK(coding_for({row.field}) == row.expected);
}

TEST_CASE("several fields Accept-Encoding are one list") {
  CHECK(coding_for({}) == "identity");
  CHECK(coding_for({"gzip", "br"}) == "br");
  CHECK(coding_for({"gzip", "identity;q=0"}) == "gzip!");
  CHECK(coding_for({"gzip", "br;q=x"}) == "identity");
}

TEST_CASE("whatever bytes the fields hold, something is chosen") {
  std::mt19937 random(7);
  constexpr std::string_view pieces[] = {"gzip", "text/csv", "*",  "/", ";", "q=", "0.5", ",",
                                         " ",    "\"",       "\\", "=", "1", "\t", "br",  "\xFF"};
  for (int round = 0; round < 20'000; ++round) {
    std::string field;
    for (auto left = random() % 12; left > 0; --left) field += pieces[random() % std::size(pieces)];
    CAPTURE(field);
    CHECK_NOTHROW(format_for({field}));
    CHECK_NOTHROW(coding_for({field}));
  }
}
