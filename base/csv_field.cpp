#include "base/csv_field.hpp"

namespace deployd::base {

void append_csv_field(std::string& out, std::string_view text) {
  bool const plain =
      !text.empty() && text.find_first_of(",;\t\"\r\n") == text.npos && text.front() != ' ' && text.back() != ' ';
  if (plain) {
    out += text;
    return;
  }
  out += '"';
  for (char const c : text) out.append(c == '"' ? 2 : 1, c);
  out += '"';
}

}  // namespace deployd::base
