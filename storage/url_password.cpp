#include "storage/url_password.hpp"

#include <libpq-fe.h>

#include <memory>

namespace deployd::storage {

bool holds_password(DatabaseUrl const& url) {
  auto const* const postgresql = std::get_if<PostgresqlUrl>(&url);
  if (postgresql == nullptr) return false;
  std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> const options(
      PQconninfoParse(postgresql->uri.c_str(), nullptr), PQconninfoFree);
  for (auto const* option = options.get(); option != nullptr && option->keyword != nullptr; ++option)
    if (option->dispchar[0] == '*' && option->val != nullptr && option->val[0] != '\0') return true;
  return false;
}

}  // namespace deployd::storage
