#include "routing/prepared_forms.hpp"

#include <cstddef>

#include "routing/compressor.hpp"
#include "routing/rendered_answer.hpp"

namespace deployd::routing {

CodedText code_text(std::string_view text) {
  CodedText coded;
  for (auto const coding : all_codings) {
    auto& body = coded[static_cast<std::size_t>(coding)];
    body = coding == Coding::identity ? std::string(text) : compressed(text, coding, Effort::prepared);
  }
  return coded;
}

PreparedForms::PreparedForms(Representation const& representation, CodedText const& body, CorsPolicy const& cors) {
  for (auto const coding : all_codings) {
    auto form = representation;
    form.body = body[static_cast<std::size_t>(coding)];
    form.coding = coding;
    form.vary = vary_by_coding;
    forms_[static_cast<std::size_t>(coding)] = prepare(std::move(form), cors);
  }
}

}  // namespace deployd::routing
