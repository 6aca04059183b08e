// The description of the API for programs (OpenAPI 3.1).
#pragma once

#include <string>

#include "routing/cors.hpp"
#include "routing/prepared_forms.hpp"

namespace deployd::routing {

/// Returns the document, which the first call makes from the table of routes. Any thread.
/// https://spec.openapis.org/oas/v3.1.1
std::string const& openapi_document();

/// Returns the response with the document.
PreparedForms describe(CorsPolicy const& cors);

}  // namespace deployd::routing
