// `migrate`, `import`, `export` and `backup`.
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <iostream>
#include <memory>
#include <system_error>

#include "server/commands/commands.hpp"
#include "server/options/values.hpp"
#include "server/store_wait.hpp"
#include "storage/error.hpp"
#include "storage/schema/schema.hpp"
#include "storage/transfer/backup.hpp"
#include "storage/transfer/export.hpp"
#include "storage/transfer/import.hpp"

namespace deployd::server {
namespace {

/// Reports the progress of an import: on a terminal in one line that is overwritten, otherwise in a line every few
/// seconds.
class ImportReport {
 public:
  void operator()(storage::ImportProgress const& progress) {
    auto const now = Clock::now();
    if (now - told_ < (terminal_ ? std::chrono::milliseconds(200) : std::chrono::milliseconds(5000))) return;
    told_ = now;
    auto const line = describe(progress);
    if (terminal_) {
      std::cerr << "\r\x1b[K" << line << std::flush;
    } else {
      spdlog::info("{}", line);
    }
  }

  ~ImportReport() {
    if (terminal_) std::cerr << "\r\x1b[K" << std::flush;
  }

  double seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

 private:
  using Clock = std::chrono::steady_clock;

  std::string describe(storage::ImportProgress const& progress) const {
    auto const rows = progress.patterns + progress.deployments;
    switch (progress.phase) {
      case storage::ImportProgress::Phase::indexes: return fmt::format("{} rows read; building indexes", rows);
      case storage::ImportProgress::Phase::commit: return fmt::format("{} rows read; committing", rows);
      case storage::ImportProgress::Phase::rows: break;
    }
    auto line = fmt::format("{} rows, {:.0f} a second", rows, static_cast<double>(rows) / seconds());
    if (progress.bytes_total == 0 || progress.bytes_read == 0) return line;
    auto const share = static_cast<double>(progress.bytes_read) / static_cast<double>(progress.bytes_total);
    auto const spent = seconds();
    return line + fmt::format(", {:.0f} %, {:.0f} s left", 100 * share, spent / share - spent);
  }

  bool const terminal_ = ::isatty(STDERR_FILENO) != 0;
  Clock::time_point const start_ = Clock::now();
  Clock::time_point told_ = start_;
};

/// The files of an import, which are all opened before anything is read.
class Inputs {
 public:
  explicit Inputs(std::vector<std::string> const& names) {
    for (auto const& name : names) {
      if (name == "-") {
        std::ios::sync_with_stdio(false);
        sources_.push_back({name, &std::cin, 0});
        continue;
      }
      struct stat status {};
      auto const known = ::stat(name.c_str(), &status) == 0;
      if (known && S_ISDIR(status.st_mode)) throw DataError(name + ": is a directory");
      auto stream = std::make_unique<std::ifstream>(name, std::ios::binary);
      if (!*stream) throw DataError(fmt::format("{}: {}", name, known ? "cannot be read" : "there is no such file"));
      auto const size = known && S_ISREG(status.st_mode) ? static_cast<std::uint64_t>(status.st_size) : 0;
      sources_.push_back({name, stream.get(), size});
      streams_.push_back(std::move(stream));
    }
  }

  std::vector<storage::ImportSource> const& sources() const noexcept { return sources_; }

 private:
  std::vector<std::unique_ptr<std::ifstream>> streams_;
  std::vector<storage::ImportSource> sources_;
};

}  // namespace

void print(std::string const& text) {
  std::signal(SIGPIPE, SIG_IGN);
  std::cout << text << std::flush;
  if (!std::cout) throw OutputError("standard output cannot be written");
}

void await_store(Settings const& settings, StorePlace const& place, int status_of_signal) {
  auto const limit = read_wait_for_store(settings);
  if (limit.count() == 0) return;
  wait_for_store({.limit = limit, .status_of_signal = status_of_signal}, [&] {
    try {
      storage::require_current_schema(place.url, place.relations);
    } catch (storage::Error const& failure) {
      if (is_temporary(failure.code())) throw;
    }
  });
}

std::string describe(std::string_view table, storage::RowChanges const& changes) {
  return fmt::format("{}: {} added, {} updated, {} unchanged, {} deleted", table, changes.added, changes.updated,
                     changes.unchanged, changes.deleted);
}

int run_migrate(Settings const& settings, Operands const&) {
  auto const place = read_store_place(settings);
  await_store(settings, place);
  auto const report = storage::migrate(place.url, place.relations);
  if (report.to == 0) {
    print("The relations can be read; deployd has no tables of its own beside them.\n");
  } else if (report.from == report.to) {
    print(fmt::format("The schema is current (version {}).\n", report.to));
  } else if (report.from == 0) {
    print(fmt::format("Made the schema, version {}.\n", report.to));
  } else {
    print(fmt::format("Upgraded the schema from version {} to {}.\n", report.from, report.to));
  }
  return 0;
}

int run_import(Settings const& settings, Operands const& files) {
  auto const place = read_store_place(settings);
  storage::ImportOptions const options{.replace = settings.read("replace", parse_switch).value_or(false),
                                       .dry_run = settings.read("dry-run", parse_switch).value_or(false)};
  Inputs const inputs(files);
  await_store(settings, place);
  storage::ImportResult done;
  double seconds = 0;
  {
    ImportReport report;
    done = storage::import(place.url, place.relations, inputs.sources(), options, std::ref(report));
    seconds = report.seconds();
  }
  if (options.dry_run) {
    print("Nothing was changed. This import would change:\n" + describe("patterns", done.changes.patterns) + "\n" +
          describe("deployments", done.changes.deployments) + "\n");
    return 0;
  }
  auto line = fmt::format("Imported {} patterns and {} deployments in {:.1f} s.", done.read.patterns,
                          done.read.deployments, seconds);
  if (options.replace)
    line += fmt::format(" Deleted {} patterns and {} deployments.", done.changes.patterns.deleted,
                        done.changes.deployments.deleted);
  print(line + '\n');
  return 0;
}

int run_export(Settings const& settings, Operands const&) {
  using storage::ExportFormat;
  using storage::ExportTables;
  auto const place = read_store_place(settings);
  auto const format = settings
                          .read("format", one_of<ExportFormat>({{"json", ExportFormat::json},
                                                                {"ndjson", ExportFormat::ndjson},
                                                                {"csv", ExportFormat::csv}}))
                          .value_or(ExportFormat::json);
  auto const tables = settings
                          .read("table", one_of<ExportTables>({{"patterns", ExportTables::patterns},
                                                               {"deployments", ExportTables::deployments}}))
                          .value_or(ExportTables::both);
  std::signal(SIGPIPE, SIG_IGN);
  std::ios::sync_with_stdio(false);
  try {
    storage::export_all(place.url, place.relations, format, tables, std::cout);
    std::cout.flush();
  } catch (std::ios_base::failure const&) {
    std::cout.setstate(std::ios::badbit);
  }
  if (!std::cout) throw OutputError("export: standard output cannot be written");
  return 0;
}

int run_backup(Settings const& settings, Operands const& files) {
  auto const place = read_store_place(settings);
  auto const* const sqlite = std::get_if<storage::SqliteUrl>(&place.url);
  if (sqlite == nullptr)
    throw UsageError("backup: " + storage::describe(place.url) + " is backed up with PostgreSQL's pg_dump");
  try {
    auto const bytes = storage::back_up(*sqlite, files.front());
    print(fmt::format("Backed up {} to {} ({} bytes).\n", sqlite->path, files.front(), bytes));
  } catch (std::system_error const& failure) {
    if (failure.code() == std::errc::file_exists)
      throw UsageError(fmt::format("backup: {}: there is such a file already", files.front()));
    throw OutputError(fmt::format("backup: {}", failure.what()));
  }
  return 0;
}

}  // namespace deployd::server
