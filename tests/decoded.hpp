// Content codings, taken off by the libraries of their authors.
#pragma once

#include <string>
#include <string_view>

namespace deployd::tests {

/// The text of a body in this Content-Encoding; `identity` and `(none)` leave it. Throws when it is not complete, or
/// when more follows.
std::string decoded(std::string_view body, std::string_view coding);

/// As much of the text as the beginning of a body holds.
std::string decoded_so_far(std::string_view beginning, std::string_view coding);

}  // namespace deployd::tests
