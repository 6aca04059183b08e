#include "storage/transfer/import_target.hpp"

#include <utility>

#include "base/json_escape.hpp"
#include "storage/session/session.hpp"

namespace deployd::storage {
using base::json_quoted;

namespace {

std::string const of_patterns = "pattern_id IS NULL AND pattern IS NULL";
std::string const of_deployments = "(pattern_id IS NOT NULL OR pattern IS NOT NULL)";

/// Returns a subquery for the rows of one kind, in which the last one of each id, which counts, has the place 1.
std::string numbered(std::string const& of_kind) {
  return "(SELECT *, row_number() OVER (PARTITION BY id ORDER BY row DESC) AS place FROM import_rows WHERE " + of_kind +
         ") AS numbered";
}

// The deployments of the import with the ids of their patterns, once each has its last row only.
std::string const deployments_of_import =
    "SELECT r.id, coalesce(r.pattern_id, p.id) AS pattern_id, r.name FROM import_rows r "
    "LEFT JOIN patterns p ON p.name = r.pattern WHERE " +
    of_deployments;

RowPlace place_of(long long source, long long line) noexcept {
  return {static_cast<std::uint32_t>(source), static_cast<std::uint64_t>(line)};
}

}  // namespace

ImportTarget::ImportTarget(DatabaseUrl const& url, ImportOptions options)
    : options_(std::move(options)), session_(open_session(url, Access::write)) {}

void ImportTarget::add(ImportRow const& row) {
  if (!row.is_pattern()) {
    ascending_ = ascending_ && (!last_deployment_ || row.id > *last_deployment_);
    last_deployment_ = row.id;
  }
  stage(++rows_, row);
}

ImportChanges ImportTarget::check() {
  end_rows();
  take_patterns();
  if (options_.replace) delete_other_patterns();
  refuse_taken_name();
  release_names();
  execute(
      "INSERT INTO patterns (id, name) SELECT id, name FROM import_patterns WHERE id NOT IN (SELECT id FROM patterns)");
  refuse_unknown_pattern();
  take_last_rows();
  changes_.deployments = count_changes("(" + deployments_of_import + ")", "deployments",
                                       "d.pattern_id <> s.pattern_id OR d.name <> s.name");
  if (options_.replace) delete_other_deployments();
  return changes_;
}

/// Collects the patterns of the import in the table `import_patterns`.
void ImportTarget::take_patterns() {
  auto const patterns = numbered(of_patterns);
  if (options_.refuses_second_row) refuse_second_row("pattern", patterns);
  execute("CREATE TEMP TABLE import_patterns AS SELECT id, name, row, source, line FROM " + patterns +
          " WHERE place = 1");
  execute("CREATE INDEX import_patterns_id ON import_patterns (id)");
  execute("CREATE INDEX import_patterns_name ON import_patterns (name)");
  changes_.patterns = count_changes("import_patterns", "patterns", "d.name <> s.name");
}

void ImportTarget::refuse_second_row(std::string const& kind, std::string const& numbered) {
  long long id = 0;
  *session_ << "SELECT id FROM " + numbered + " WHERE place > 1 LIMIT 1", soci::into(id);
  if (session_->got_data()) throw BadRow({}, "a second " + kind + " with the id " + std::to_string(id));
}

/// Compares rows of the import with those of a table of the store. `differs` is true for a row `s` and its predecessor
/// `d` with other values.
RowChanges ImportTarget::count_changes(std::string const& rows, std::string const& table, std::string const& differs) {
  long long all = 0;
  long long added = 0;
  long long updated = 0;
  *session_ << "SELECT count(*), count(*) FILTER (WHERE d.id IS NULL), count(*) FILTER (WHERE " + differs + ") FROM " +
                   rows + " AS s LEFT JOIN " + table + " d ON d.id = s.id",
      soci::into(all), soci::into(added), soci::into(updated);
  return {.added = static_cast<std::uint64_t>(added),
          .updated = static_cast<std::uint64_t>(updated),
          .unchanged = static_cast<std::uint64_t>(all - added - updated)};
}

/// Deletes all patterns that are not in the import, or with `ImportOptions::only_patterns` those of them whose name
/// another pattern of the import takes over.
void ImportTarget::delete_other_patterns() {
  std::string others = "id IN (SELECT id FROM patterns EXCEPT SELECT id FROM import_patterns)";
  if (!options_.only_patterns.empty()) {
    execute("CREATE TEMP TABLE import_replaced (id bigint)");
    for (auto const& name : options_.only_patterns)
      *session_ << "INSERT INTO import_replaced SELECT id FROM patterns WHERE name = :name", soci::use(name);
    others += " AND id IN (SELECT id FROM import_replaced) AND name IN (SELECT name FROM import_patterns)";
  }
  changes_.patterns.deleted = execute("DELETE FROM patterns WHERE " + others);
}

/// Checks that no two patterns have the same name at the end of the import.
void ImportTarget::refuse_taken_name() {
  long long source = 0;
  long long line = 0;
  long long id = 0;
  std::string name;
  long long owner = 0;
  *session_ << "SELECT s.source, s.line, s.id, s.name, o.id FROM import_patterns s JOIN "
               "(SELECT id, name, row FROM import_patterns UNION ALL "
               "SELECT id, name, 0 FROM patterns WHERE id NOT IN (SELECT id FROM import_patterns)) AS o "
               "ON o.name = s.name AND o.id <> s.id AND o.row < s.row ORDER BY s.row LIMIT 1",
      soci::into(source), soci::into(line), soci::into(id), soci::into(name), soci::into(owner);
  if (!session_->got_data()) return;
  throw BadRow(place_of(source, line), "pattern " + std::to_string(id) + ": the name " + json_quoted(name) +
                                           " is taken by pattern " + std::to_string(owner));
}

/// Checks that every deployment has its pattern, also one whose id a later row has.
void ImportTarget::refuse_unknown_pattern() {
  long long source = 0;
  long long line = 0;
  long long id = 0;
  long long pattern_id = 0;
  std::string pattern;
  soci::indicator by_id = soci::i_null;
  soci::indicator by_name = soci::i_null;
  *session_ << "SELECT source, line, id, pattern_id, pattern, row FROM import_rows r WHERE pattern_id IS NOT NULL "
               "AND NOT EXISTS (SELECT 1 FROM patterns p WHERE p.id = r.pattern_id) UNION ALL "
               "SELECT source, line, id, pattern_id, pattern, row FROM import_rows r WHERE pattern IS NOT NULL "
               "AND NOT EXISTS (SELECT 1 FROM patterns p WHERE p.name = r.pattern) ORDER BY row LIMIT 1",
      soci::into(source), soci::into(line), soci::into(id), soci::into(pattern_id, by_id), soci::into(pattern, by_name);
  if (!session_->got_data()) return;
  auto const reason = "deployment " + std::to_string(id) + ": there is no pattern ";
  if (by_name == soci::i_null) throw BadRow(place_of(source, line), reason + std::to_string(pattern_id));
  throw BadRow(place_of(source, line), reason + json_quoted(pattern) + ", neither in the store nor in the files");
}

/// Deletes the rows of deployments that do not count because a later row has the same id.
void ImportTarget::take_last_rows() {
  if (ascending_) return;
  auto const deployments = numbered(of_deployments);
  if (options_.refuses_second_row) refuse_second_row("deployment", deployments);
  execute("DELETE FROM import_rows WHERE row IN (SELECT row FROM " + deployments + " WHERE place > 1)");
}

/// Deletes all deployments that are not in the import, or with `ImportOptions::only_patterns` those of its patterns.
void ImportTarget::delete_other_deployments() {
  auto const of_import =
      options_.only_patterns.empty()
          ? ""
          : " WHERE pattern_id IN (SELECT id FROM import_replaced UNION SELECT id FROM import_patterns)";
  changes_.deployments.deleted =
      execute(std::string("DELETE FROM deployments WHERE id IN (SELECT id FROM deployments") + of_import +
              " EXCEPT SELECT id FROM import_rows WHERE " + of_deployments + ")");
}

/// Leaves rows alone that the store has already.
void ImportTarget::write_deployments() {
  if (changes_.deployments.added + changes_.deployments.updated == 0) return;
  execute("INSERT INTO deployments AS d (id, pattern_id, name) " + deployments_of_import +
          " ON CONFLICT (id) DO UPDATE SET pattern_id = excluded.pattern_id, name = excluded.name "
          "WHERE d.pattern_id <> excluded.pattern_id OR d.name <> excluded.name");
}

}  // namespace deployd::storage
