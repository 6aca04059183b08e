#include "routing/authority.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <string>
#include <string_view>

using namespace deployd::routing;
using namespace std::string_view_literals;

TEST_CASE("every form of a host in RFC 3986 is one, with a port or without") {
  // Addresses of IPv6 with an elision at every place, and what Appendix A of RFC 3986 adds.
  auto const host =
      GENERATE("", "x", "example.com", "example.com.", "EXAMPLE", "a_b-c~d", "xn--nxasmq6b", "a!$&'()*+,;=b", "%61",
               "a%2fb%C3%A4", "127.0.0.1", "0.0.0.0", "255.255.255.255", "256.1.1.1", "1.2.3", "01.2.3.4", "1", "[::]",
               "[::1]", "[1::]", "[2001:db8::7]", "[2001:DB8::abcd:Ef01]", "[1:2:3:4:5:6:7:8]", "[::2:3:4:5:6:7:8]",
               "[1::3:4:5:6:7:8]", "[1:2::4:5:6:7:8]", "[1:2:3::5:6:7:8]", "[1:2:3:4::6:7:8]", "[1:2:3:4:5::7:8]",
               "[1:2:3:4:5:6::8]", "[1:2:3:4:5:6:7::]", "[0001:0002:0003:0004:0005:0006:0007:0008]", "[::127.0.0.1]",
               "[::ffff:192.0.2.1]", "[64:ff9b::192.0.2.33]", "[1:2:3:4:5:6:255.255.255.255]", "[1:2:3:4:5::192.0.2.1]",
               "[ABCD:ABCD:ABCD:ABCD:ABCD:ABCD:192.168.158.190]", "[v1.a]", "[VF.a:b]", "[v1f.fe80::a+en1]",
               "[v1.-._~!$&'()*+,;=:]");
  auto const port = GENERATE("", ":", ":80", ":08080", ":99999999999");
  auto const text = std::string(host) + port;
  CAPTURE(text);
  CHECK(is_host_and_port(text));
  CHECK(is_http_authority(text) == !std::string_view(host).empty());
}

TEST_CASE("what is no host, or no port, is refused") {
  auto const text = GENERATE(
      "a b"sv, "a/b"sv, "a?b"sv, "a#b"sv, "a@b"sv, "a:b@c"sv, "a\\b"sv, "a|b"sv, "<a>"sv, "\"a\""sv, "a^b"sv, "{a}"sv,
      "a`b"sv, "\xC3\xA4"sv, "a\0b"sv, "a\tb"sv, "a\x7F"sv, "%"sv, "a%"sv, "a%2"sv, "a%zz.example"sv, "%g0"sv, "%0g"sv,
      "a]"sv, "a[b"sv, "[]"sv, "["sv, "]"sv, "[zz]"sv, "[::1"sv, "::1"sv, "[::1]x"sv, "[::1]]"sv, "[[::1]]"sv,
      "x[::1]"sv, "[1]"sv, "[1:2:3:4:5:6:7]"sv, "[1:2:3:4:5:6:7:8:9]"sv, "[1::2::3]"sv, "[:::]"sv, "[:1:2:3:4:5:6:7]"sv,
      "[1:]"sv, "[1:2:3:4:5:6:7:8::]"sv, "[1:2:3:4::5:6:7:8]"sv, "[12345::]"sv, "[::g]"sv, "[::1.2.3]"sv,
      "[::1.2.3.256]"sv, "[::01.2.3.4]"sv, "[1.2.3.4::]"sv, "[::1.2.3.4:5]"sv, "[127.0.0.1]"sv, "[ ::1]"sv, "[::1\0]"sv,
      "[fe80::1%25eth0]"sv, "[fe80::1%eth0]"sv, "[::1/64]"sv, "[v.a]"sv, "[v1.]"sv, "[v1]"sv, "[vg.a]"sv, "[v1.a%20]"sv,
      "[v1.a@b]"sv, "[v1.a/b]"sv, "a:b"sv, "a:80:80"sv, "a:-1"sv, "a:+1"sv, "a: 80"sv, "a:80 "sv, "[::1]:x"sv,
      "[::1]80"sv, "::"sv);
  CAPTURE(text);
  CHECK_FALSE(is_host_and_port(text));
  CHECK_FALSE(is_http_authority(text));
}
