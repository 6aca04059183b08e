// A head that arrives in pieces: when it is worth parsing again.
#include "server/http/input_buffer.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <string_view>

using deployd::server::InputBuffer;

namespace {

constexpr std::string_view end_of_head = "\r\n\r\n";

void receive(InputBuffer& input, std::string_view bytes) {
  auto const room = input.room();
  std::ranges::copy(bytes, static_cast<char*>(room.data()));
  input.received(bytes.size());
}

/// Writes over bytes that have been received, counted from the end of them.
void write_before_end(InputBuffer& input, std::size_t distance, std::string_view bytes) {
  std::ranges::copy(bytes, static_cast<char*>(input.room().data()) - distance);
}

}  // namespace

TEST_CASE(
    "a head that is incomplete is parsed again when its end arrives, in whatever pieces, or when it has doubled") {
  InputBuffer::Buffers buffers(1, 16384);
  for (std::size_t split = 0; split < end_of_head.size(); ++split) {
    CAPTURE(split);
    InputBuffer input(buffers);
    CHECK_FALSE(input.worth_parsing());
    receive(input, "GET / HTTP/1.1\r\nHost: x");
    CHECK(input.worth_parsing());
    input.note_incomplete();
    CHECK_FALSE(input.worth_parsing());
    receive(input, end_of_head.substr(0, split));
    CHECK_FALSE(input.worth_parsing());
    receive(input, end_of_head.substr(split));
    CHECK(input.worth_parsing());
  }
  InputBuffer input(buffers);
  receive(input, "GET /");
  input.note_incomplete();
  receive(input, "1234");
  CHECK_FALSE(input.worth_parsing());
  receive(input, "5");
  CHECK(input.worth_parsing());
}

TEST_CASE("bytes in which the end of a head was not found are not searched again") {
  InputBuffer::Buffers buffers(1, 16384);
  InputBuffer input(buffers);
  receive(input, "GET / HTTP/1.1\r\nHost: x\r\nA: 0123456789");
  input.note_incomplete();
  receive(input, "abcdefghij");
  CHECK_FALSE(input.worth_parsing());
  // An end of a head that is only there since they were searched shows whether they are read again.
  write_before_end(input, 10, end_of_head);
  receive(input, "k");
  CHECK_FALSE(input.worth_parsing());
  input.consume(input.unread().size());
  receive(input, "GET / HTTP/1.1\r\n\r\n");
  CHECK(input.worth_parsing());
}
