#include "storage/transfer/import.hpp"

#include <soci/soci.h>

#include <algorithm>
#include <memory>

#include "storage/error.hpp"
#include "storage/session/session.hpp"
#include "storage/transfer/import_front.hpp"
#include "storage/transfer/import_input.hpp"
#include "storage/transfer/import_parser.hpp"
#include "storage/transfer/import_target.hpp"
#include "storage/transfer/open_import.hpp"

namespace deployd::storage {
namespace {

/// Counts rows and passes them on.
class CountedRows final : public ImportRows {
 public:
  CountedRows(ImportRows& target, ImportProgress& progress) : target_(target), progress_(progress) {}

  void add(ImportRow const& row) override {
    target_.add(row);
    ++(row.is_pattern() ? progress_.patterns : progress_.deployments);
  }

 private:
  ImportRows& target_;
  ImportProgress& progress_;
};

/// Takes rows that are only checked.
class NoRows final : public ImportRows {
 public:
  void add(ImportRow const&) override {}
};

using Inputs = std::vector<std::unique_ptr<ImportInput>>;

/// Opens the sources and checks their beginnings before the store is opened, so that a file that is not an import does
/// not change it.
Inputs open_inputs(std::vector<ImportSource> const& sources) {
  Inputs inputs;
  NoRows nowhere;
  for (auto const& source : sources) {
    auto const& input = *inputs.emplace_back(std::make_unique<ImportInput>(source));
    auto const found = other_format(input.front(), {source.name, std::string(input.decompression())});
    if (!found.empty()) throw Error(errc::bad_input, source.name + ": " + found);
    ImportParser parser(static_cast<std::uint32_t>(inputs.size() - 1), nowhere);
    parser.read(input.front());
    if (input.ends_with_front()) parser.finish();
  }
  return inputs;
}

std::uint64_t total_bytes(std::vector<ImportSource> const& sources) {
  std::uint64_t total = 0;
  for (auto const& source : sources) {
    if (source.size == 0) return 0;
    total += source.size;
  }
  return total;
}

/// Reads all sources into the target. Returns the tables whose contents they define.
ImportTables read_rows(Inputs const& inputs, ImportRows& rows, ImportProgress& progress,
                       ImportObserver const& observer) {
  ImportTables tables;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    ImportParser parser(static_cast<std::uint32_t>(i), rows);
    auto const bytes_before = progress.bytes_read;
    for (auto piece = inputs[i]->next(); !piece.empty(); piece = inputs[i]->next()) {
      parser.read(piece);
      progress.bytes_read = bytes_before + inputs[i]->bytes_read();
      observer(progress);
    }
    parser.finish();
    tables.patterns |= parser.tables().patterns;
    tables.deployments |= parser.tables().deployments;
  }
  return tables;
}

/// With --replace, deployments need patterns from the same import.
void require_patterns(ImportTables const& tables, ImportProgress const& read) {
  if (!tables.patterns && read.deployments > 0)
    throw Error(errc::bad_input,
                "--replace: there are deployments but no patterns in the input; import both, patterns for example from "
                "a CSV file with the header line \"id,name\"");
}

/// Refuses to empty a table that the input does not mention: the input may be empty by mistake, or a file may be
/// missing.
void refuse_to_empty(ImportTables const& tables, ImportChanges const& changes) {
  auto const refuse = [](std::string const& table, std::uint64_t rows, std::string const& header) {
    throw Error(errc::bad_input, "--replace: there are no " + table + " in the input, and all " + std::to_string(rows) +
                                     " in the store would be deleted; if that is meant, add " + header);
  };
  if (!tables.deployments && changes.deployments.deleted > 0)
    refuse("deployments", changes.deployments.deleted, R"(a CSV file with the header line "id,pattern_id,name")");
  if (!tables.patterns && changes.patterns.deleted > 0)
    refuse("patterns", changes.patterns.deleted, R"(a CSV file with the header line "id,name")");
}

ImportResult import_into(ImportTarget& target, std::vector<ImportSource> const& sources, Inputs const& inputs,
                         ImportOptions const& options, ImportObserver const& observer) {
  ImportProgress progress;
  progress.bytes_total = total_bytes(sources);
  CountedRows rows(target, progress);
  auto const tables = read_rows(inputs, rows, progress, observer);
  progress.phase = ImportProgress::Phase::indexes;
  observer(progress);
  if (options.replace) require_patterns(tables, progress);
  auto const changes = target.check();
  if (options.replace) refuse_to_empty(tables, changes);
  if (options.dry_run) return {progress, changes};
  target.write();
  progress.phase = ImportProgress::Phase::commit;
  observer(progress);
  target.commit();
  return {progress, changes};
}

}  // namespace

ImportResult import(DatabaseUrl const& url, Relations const& relations, std::vector<ImportSource> const& sources,
                    ImportOptions const& options, ImportObserver const& observer) {
  require_own_tables(relations);
  try {
    auto const inputs = open_inputs(sources);
    auto const opened = open_import(url, relations, options);
    return import_into(*opened.target, sources, inputs, options, observer);
  } catch (BadRow const& bad) {
    auto const place = bad.place();
    auto const column = place.column == 0 ? "" : ":" + std::to_string(place.column);
    throw Error(errc::bad_input,
                sources[place.source].name + ":" + std::to_string(place.line) + column + ": " + bad.what());
  } catch (soci::soci_error const& failure) {
    throw translate(failure, url);
  }
}

}  // namespace deployd::storage
