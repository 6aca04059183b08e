// The page for people at `/`, and other resources that browsers and crawlers request.
#pragma once

#include <string>
#include <string_view>

#include "routing/cors.hpp"
#include "routing/prepared_forms.hpp"
#include "routing/response.hpp"

namespace deployd::routing {

/// The page: page.html, compiled into the program.
std::string_view page_html() noexcept;

/// Returns the value of a Content-Security-Policy header for `html`, which must contain one `<style>` and one
/// `<script>`. It allows these two by their hashes, requests to the page's own server, and nothing else.
std::string content_security_policy(std::string_view html);

/// Responses that contain no data, rendered once per worker.
struct PageAnswers {
  PreparedForms page;  // GET /
  Prepared icon;       // GET /favicon.ico
  Prepared robots;     // GET /robots.txt
};

PageAnswers render_page(CorsPolicy const& cors);

}  // namespace deployd::routing
