#include "routing/page/page.hpp"

#include <openssl/evp.h>

#include <array>
#include <stdexcept>

#include "routing/rendered_answer.hpp"

namespace deployd::routing {
namespace {

// The icon, which the page also contains beside its title.
constexpr std::string_view icon_svg =
    "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24'><rect width='24' height='24' rx='6' fill='#0b6b68'/>"
    "<g fill='none' stroke='#fff' stroke-width='2.5' stroke-linecap='round'><circle cx='10.2' cy='14' r='3.8'/>"
    "<path d='M14 5.5v12.3'/></g></svg>";

constexpr std::string_view robots_txt = "User-agent: *\nDisallow: /\n";

/// Returns the text between the tags of the first element `name`.
std::string_view content_of(std::string_view html, std::string_view name) {
  auto const tag = html.find("<" + std::string(name));
  auto const start = html.find('>', tag);
  auto const end = html.find("</" + std::string(name) + ">", start);
  if (tag == std::string_view::npos || start == std::string_view::npos || end == std::string_view::npos)
    throw std::logic_error("the page has no element " + std::string(name));
  return html.substr(start + 1, end - start - 1);
}

/// Returns a source for a Content-Security-Policy that allows an inline element with this content.
std::string hash_source(std::string_view content) {
  std::array<unsigned char, 32> digest;
  if (EVP_Digest(content.data(), content.size(), digest.data(), nullptr, EVP_sha256(), nullptr) != 1)
    throw std::runtime_error("SHA-256 is not available");
  std::array<unsigned char, 45> base64;  // including the terminating zero
  EVP_EncodeBlock(base64.data(), digest.data(), static_cast<int>(digest.size()));
  return "'sha256-" + std::string(base64.begin(), base64.end() - 1) + "'";
}

}  // namespace

std::string content_security_policy(std::string_view html) {
  return "default-src 'none'; style-src " + hash_source(content_of(html, "style")) + "; script-src " +
         hash_source(content_of(html, "script")) +
         "; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
}

PageAnswers render_page(CorsPolicy const& cors) {
  static auto const html = code_text(page_html());
  auto const policy = "Content-Security-Policy: " + content_security_policy(page_html());
  return {.page = PreparedForms({.content_type = "text/html; charset=utf-8",
                                 .extra_lines = policy + "\r\nReferrer-Policy: no-referrer\r\n"},
                                html, cors),
          .icon = prepare({.body = std::string(icon_svg), .content_type = "image/svg+xml"}, cors),
          .robots = prepare({.body = std::string(robots_txt), .content_type = "text/plain; charset=utf-8"}, cors)};
}

}  // namespace deployd::routing
