#include "storage/transfer/mirror.hpp"

#include <soci/soci.h>

#include "storage/error.hpp"
#include "storage/session/session.hpp"
#include "storage/transfer/open_import.hpp"
#include "storage/transfer/row_spool.hpp"

namespace deployd::storage {
namespace {

bool any(RowChanges const& changes) noexcept {
  return changes.added + changes.updated + changes.deleted > 0;
}

}  // namespace

bool any(ImportChanges const& changes) noexcept {
  return any(changes.patterns) || any(changes.deployments);
}

ImportChanges mirror(DatabaseUrl const& url, Relations const& relations, RowSpool& rows, MirrorOptions const& options) {
  require_own_tables(relations);
  try {
    auto const import = open_import(
        url, relations,
        {.replace = true, .dry_run = options.dry_run, .only_patterns = options.patterns, .refuses_second_row = true});
    auto& target = *import.target;
    rows.write_to(target);
    auto const changes = target.check();
    // A commit without changes would make every server of the store forget its cached responses.
    if (options.dry_run || !any(changes)) return changes;
    target.write();
    target.commit();
    return changes;
  } catch (BadRow const& bad) {
    throw Error(errc::bad_input, bad.what());
  } catch (soci::soci_error const& failure) {
    throw translate(failure, url);
  }
}

}  // namespace deployd::storage
