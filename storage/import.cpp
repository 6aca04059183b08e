#include "storage/import.hpp"

#include <soci/soci.h>

#include <algorithm>
#include <chrono>
#include <memory>

#include "storage/error.hpp"
#include "storage/import_parser.hpp"
#include "storage/import_target.hpp"
#include "storage/postgresql_import.hpp"
#include "storage/session.hpp"
#include "storage/sqlite_import.hpp"

namespace deployd::storage {
namespace {

constexpr std::size_t piece_bytes = 64 * 1024;
constexpr std::chrono::milliseconds observed_every{250};

std::unique_ptr<ImportTarget> begin_import(DatabaseUrl const& url) {
  if (std::holds_alternative<SqliteUrl>(url)) return std::make_unique<SqliteImport>(url);
  return std::make_unique<PostgresqlImport>(url);
}

/// Hands rows on, and counts them.
class CountedRows final : public ImportTarget {
 public:
  CountedRows(ImportTarget& target, ImportProgress& progress) : target_(target), progress_(progress) {}

  void pattern(RowPlace place, std::int64_t id, std::string_view name) override {
    target_.pattern(place, id, name);
    ++progress_.patterns;
  }
  void deployment(RowPlace place, std::int64_t id, std::int64_t pattern_id, std::string_view name) override {
    target_.deployment(place, id, pattern_id, name);
    ++progress_.deployments;
  }
  void check() override { target_.check(); }
  void build_indexes() override { target_.build_indexes(); }
  void commit() override { target_.commit(); }

 private:
  ImportTarget& target_;
  ImportProgress& progress_;
};

/// Tells the observer, but not at every piece.
class Observed {
 public:
  Observed(ImportObserver const& observer, ImportProgress const& progress) : observer_(observer), progress_(progress) {}

  void now() {
    last_ = Clock::now();
    if (observer_) observer_(progress_);
  }
  void now_and_then() {
    if (Clock::now() - last_ >= observed_every) now();
  }

 private:
  using Clock = std::chrono::steady_clock;
  ImportObserver const& observer_;
  ImportProgress const& progress_;
  Clock::time_point last_ = Clock::now();
};

void read_source(ImportSource const& source, ImportParser& parser, ImportProgress& progress, Observed& observed) {
  std::string piece(piece_bytes, '\0');
  while (source.stream->good()) {
    source.stream->read(piece.data(), static_cast<std::streamsize>(piece.size()));
    auto const size = static_cast<std::size_t>(source.stream->gcount());
    parser.read(std::string_view(piece).substr(0, size));
    progress.bytes_read += size;
    observed.now_and_then();
  }
  if (!source.stream->eof()) throw Error(errc::bad_input, source.name + ": cannot be read");
  parser.finish();
}

std::uint64_t total_bytes(std::vector<ImportSource> const& sources) {
  std::uint64_t total = 0;
  for (auto const& source : sources) {
    if (source.size == 0) return 0;
    total += source.size;
  }
  return total;
}

ImportProgress import_into(ImportTarget& target, std::vector<ImportSource> const& sources,
                           ImportObserver const& observer) {
  ImportProgress progress;
  progress.bytes_total = total_bytes(sources);
  Observed observed(observer, progress);
  CountedRows rows(target, progress);
  for (std::size_t i = 0; i < sources.size(); ++i) {
    ImportParser parser(static_cast<std::uint32_t>(i), rows);
    read_source(sources[i], parser, progress, observed);
  }
  progress.phase = ImportProgress::Phase::indexes;
  observed.now();
  target.check();
  target.build_indexes();
  progress.phase = ImportProgress::Phase::commit;
  observed.now();
  target.commit();
  return progress;
}

}  // namespace

ImportProgress import(DatabaseUrl const& url, Relations const& relations, std::vector<ImportSource> const& sources,
                      ImportObserver const& observer) {
  if (relations.foreign())
    throw Error(errc::bad_input,
                "nothing can be imported into the relations of --patterns-relation and --deployments-relation: deployd "
                "only reads them");
  migrate(url, relations);
  try {
    auto const target = begin_import(url);
    return import_into(*target, sources, observer);
  } catch (BadRow const& bad) {
    auto const place = bad.place();
    throw Error(errc::bad_input, sources[place.source].name + ":" + std::to_string(place.line) + ": " + bad.what());
  } catch (soci::soci_error const& failure) {
    throw translate(failure, url);
  }
}

}  // namespace deployd::storage
