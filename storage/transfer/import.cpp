#include "storage/transfer/import.hpp"

#include <soci/soci.h>

#include <algorithm>
#include <chrono>
#include <memory>

#include "storage/error.hpp"
#include "storage/schema/schema.hpp"
#include "storage/session/session.hpp"
#include "storage/transfer/import_front.hpp"
#include "storage/transfer/import_parser.hpp"
#include "storage/transfer/import_target.hpp"
#include "storage/transfer/postgresql_import.hpp"
#include "storage/transfer/sqlite_import.hpp"

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

/// The next piece of the source: empty at its end.
std::string_view read_piece(ImportSource const& source, std::string& piece) {
  if (!source.stream->good()) return {};
  source.stream->read(piece.data(), static_cast<std::streamsize>(piece.size()));
  if (!source.stream->good() && !source.stream->eof()) throw Error(errc::bad_input, source.name + ": cannot be read");
  return std::string_view(piece).substr(0, static_cast<std::size_t>(source.stream->gcount()));
}

/// For rows that are only looked at.
class NoTarget final : public ImportTarget {
 public:
  void pattern(RowPlace, std::int64_t, std::string_view) override {}
  void deployment(RowPlace, std::int64_t, std::int64_t, std::string_view) override {}
  void check() override {}
  void build_indexes() override {}
  void commit() override {}
};

/// The beginnings of the sources, looked at before the store is: what is no import at all leaves no trace there.
std::vector<std::string> read_fronts(std::vector<ImportSource> const& sources) {
  std::vector<std::string> fronts;
  NoTarget nowhere;
  for (auto const& source : sources) {
    auto& front = fronts.emplace_back(import_front_bytes, '\0');
    front.resize(read_piece(source, front).size());
    if (auto const found = other_format(front, source.name); !found.empty())
      throw Error(errc::bad_input, source.name + ": " + found);
    ImportParser parser(static_cast<std::uint32_t>(fronts.size() - 1), nowhere);
    parser.read(front);
    if (!source.stream->good()) parser.finish();
  }
  return fronts;
}

void read_source(ImportSource const& source, std::string_view front, ImportParser& parser, ImportProgress& progress,
                 Observed& observed) {
  std::string buffer(piece_bytes, '\0');
  for (auto piece = front; !piece.empty(); piece = read_piece(source, buffer)) {
    parser.read(piece);
    progress.bytes_read += piece.size();
    observed.now_and_then();
  }
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
                           std::vector<std::string> const& fronts, ImportObserver const& observer) {
  ImportProgress progress;
  progress.bytes_total = total_bytes(sources);
  Observed observed(observer, progress);
  CountedRows rows(target, progress);
  for (std::size_t i = 0; i < sources.size(); ++i) {
    ImportParser parser(static_cast<std::uint32_t>(i), rows);
    read_source(sources[i], fronts[i], parser, progress, observed);
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
  try {
    auto const fronts = read_fronts(sources);
    migrate(url, relations);
    auto const target = begin_import(url);
    return import_into(*target, sources, fronts, observer);
  } catch (BadRow const& bad) {
    auto const place = bad.place();
    throw Error(errc::bad_input, sources[place.source].name + ":" + std::to_string(place.line) + ": " + bad.what());
  } catch (soci::soci_error const& failure) {
    throw translate(failure, url);
  }
}

}  // namespace deployd::storage
