// Bytes off a connection: a head that is understood is understood at no other length, and lies inside the bytes.
#include <cstdint>
#include <string>
#include <string_view>

#include "server/http/known_fields.hpp"
#include "server/http/request_reader.hpp"
#include "tests/fuzz/expect.hpp"

using deployd::server::HeadLimits;
using deployd::server::read_request_head;
using deployd::server::ReadResult;
using deployd::tests::expect;

namespace {

/// Known field lines make no difference to what a request is.
void expect_known_as_parsed(std::string_view bytes, ReadResult const& parsed, deployd::routing::Request const& request,
                            HeadLimits const& limits) {
  static deployd::server::KnownFieldsTable table;
  if (!request.http_1_1 || parsed.content_length != 0) return;
  auto const lines = bytes.substr(parsed.fields_at, parsed.head_bytes - parsed.fields_at);
  auto const known = table.remember(lines, table.hash_of(lines), request);
  deployd::routing::Request got{};
  auto const read = read_known_head(bytes, *known, limits, got);
  if (!read) return;
  expect(read->head_bytes == parsed.head_bytes, "a known head is as long");
  expect(read->close_without_body == parsed.close_without_body, "a known head announces the same body");
  expect(got.method == request.method && got.target == request.target, "a known head asks the same");
  expect(got.keep_alive == request.keep_alive, "a known head leaves the connection in the same state");
  for (auto const field : deployd::routing::fields_of_request)
    expect((got.*field).value == (request.*field).value && (got.*field).count == (request.*field).count,
           "a known head has the same fields");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::string_view const bytes(reinterpret_cast<char const*>(data), size);
  HeadLimits const limits{.target_bytes = 256, .header_bytes = 1024, .body_bytes = 4096};
  deployd::routing::Request request{};
  auto const whole = read_request_head(bytes, limits, request);
  if (whole.state == ReadResult::State::refused)
    expect(whole.error.status >= 400, "a refusal has a status of an error");
  if (whole.state != ReadResult::State::complete) return 0;

  expect(whole.head_bytes <= bytes.size(), "the head lies inside the bytes");
  expect(whole.content_length <= limits.body_bytes, "the body is within its limit");

  expect_known_as_parsed(bytes, whole, request, limits);

  // What stands behind the head does not change what it means, and a head cut short is never taken for one.
  deployd::routing::Request alone{};
  auto const head = read_request_head(bytes.substr(0, whole.head_bytes), limits, alone);
  expect(head.state == ReadResult::State::complete, "the head alone is complete");
  expect(head.head_bytes == whole.head_bytes, "the head alone is as long");
  expect(head.content_length == whole.content_length, "the head alone announces the same body");
  deployd::routing::Request cut{};
  auto const shorter = read_request_head(bytes.substr(0, whole.head_bytes - 1), limits, cut);
  expect(shorter.state == ReadResult::State::incomplete, "a head without its last byte is incomplete");
  return 0;
}
