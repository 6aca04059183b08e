// The schema found in a store, and the errors if it is not the required one.
#pragma once

#include <span>
#include <string>

#include "storage/database_url.hpp"
#include "storage/schema/migrations.hpp"

namespace deployd::storage {

/// A version of deployd's schema (0: an empty store), or something else.
struct FoundSchema {
  int version = 0;
  bool somebody_elses = false;
};

/// Returns the name of the store for error messages.
std::string place(DatabaseUrl const& url);

/// Throws `Error` with `newer_schema` or `corrupt` unless `found` can be upgraded to the version `last`.
void require_upgradable(DatabaseUrl const& url, FoundSchema const& found, int last);

/// Throws `Error` with `missing`, `older_schema`, `newer_schema` or `corrupt` unless `found` is the version `current`.
void require_version(DatabaseUrl const& url, FoundSchema const& found, int current);

/// Returns the version after all of `migrations`; 0 if there are none.
int last_version(std::span<Migration const> migrations);

}  // namespace deployd::storage
