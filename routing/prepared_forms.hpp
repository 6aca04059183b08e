// Responses that never change, in each coding.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "routing/cors.hpp"
#include "routing/form.hpp"
#include "routing/response.hpp"

namespace deployd::routing {

/// A text in each coding.
using CodedText = std::array<std::string, all_codings.size()>;

/// Compresses a text that is served as long as the process runs. Takes some time: call it once per process.
CodedText code_text(std::string_view text);

/// A response that never changes, rendered once per worker.
class PreparedForms {
 public:
  /// No response: `in` must not be called.
  PreparedForms() = default;

  /// `representation` is everything but the body.
  PreparedForms(Representation const& representation, CodedText const& body, CorsPolicy const& cors);

  Prepared const& in(Coding coding) const noexcept { return forms_[static_cast<std::size_t>(coding)]; }

 private:
  std::array<Prepared, all_codings.size()> forms_;
};

}  // namespace deployd::routing
