// The description of the API for programs (OpenAPI 3.1).
#pragma once

#include <string>

namespace deployd::routing {

/// Returns the document, made from the table of routes. https://spec.openapis.org/oas/v3.1.1
std::string openapi_document();

}  // namespace deployd::routing
