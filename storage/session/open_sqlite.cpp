#include "storage/session/open_sqlite.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <soci/sqlite3/soci-sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <mutex>
#include <string>
#include <string_view>

#include "storage/session/sqlite_statement.hpp"

namespace deployd::storage {
namespace {

/// Settings of the library that apply to the process and must be made before its first use: file names may be URIs (the
/// only way to pass `mode` through SOCI), no locks around sessions (each is used by one thread at a time), and no
/// global memory counter, whose lock all workers would share.
void configure_sqlite() {
  static std::once_flag once;
  std::call_once(once, [] {
    using namespace sqlite_api;
    sqlite3_config(SQLITE_CONFIG_URI, 1);
    sqlite3_config(SQLITE_CONFIG_MULTITHREAD);
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  });
}

constexpr std::string_view no_space = "no space is left for the database or its temporary files";

std::string parent_of(std::string const& path) {
  auto const slash = path.find_last_of('/');
  if (slash == path.npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

[[noreturn]] void refuse(errc code, std::string const& path, std::string_view what) {
  throw Error(code, path + ": " + std::string(what));
}

bool allowed(std::string const& path, int mode) {
  return ::faccessat(AT_FDCWD, path.c_str(), mode, AT_EACCESS) == 0;
}

void check_new_file(std::string const& path) {
  auto const directory = parent_of(path);
  struct stat status {};
  if (::stat(directory.c_str(), &status) != 0 || !S_ISDIR(status.st_mode))
    refuse(errc::missing, path, "the directory " + directory + " does not exist");
  if (!allowed(directory, W_OK | X_OK)) refuse(errc::forbidden, path, "no permission to create files in " + directory);
}

/// Creates an empty file, which SQLite takes for a new database, readable by its owner only: it will contain names of
/// tokens and hashes. SQLite uses its mode for the files beside it.
void make_private_file(std::string const& path) {
  int const fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (fd < 0) refuse(errc::unavailable, path, std::strerror(errno));
  ::close(fd);
}

/// SQLite reports all of these as "unable to open database file", or opens a file that it should not. Creates the file
/// if `access` requires it.
void check_file(std::string const& path, Access access) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    if (errno == EACCES) refuse(errc::forbidden, path, "no permission to access it");
    if (errno != ENOENT && errno != ENOTDIR) refuse(errc::unavailable, path, std::strerror(errno));
    if (access != Access::create) refuse(errc::missing, path, "there is no such database; run `deployd migrate`");
    check_new_file(path);
    return make_private_file(path);
  }
  if (S_ISDIR(status.st_mode)) refuse(errc::corrupt, path, "is a directory and not a database");
  if (!S_ISREG(status.st_mode)) refuse(errc::corrupt, path, "is not a regular file");
  if (!allowed(path, R_OK)) refuse(errc::forbidden, path, "no permission to read it");
  if (access != Access::read && !allowed(path, W_OK)) refuse(errc::forbidden, path, "no permission to write it");
}

/// Returns a file name as URI, without characters that SOCI's connect string or SQLite could misinterpret.
std::string file_uri(std::string const& path, std::string_view mode) {
  constexpr std::string_view plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-~";
  std::string uri = path.starts_with('/') ? "file://" : "file:";
  for (char const c : path)
    uri += plain.find(c) != plain.npos ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  return uri.append("?mode=").append(mode);
}

std::string_view mode_of(Access access) {
  switch (access) {
    case Access::read: return "ro";
    case Access::write: return "rw";
    case Access::create: return "rwc";
  }
  return "ro";
}

/// Reads the file for the first time: checks that it is a database and that the journal can be read.
void look_into(soci::session& session, std::string const& path) {
  try {
    long long entries = 0;
    session << "SELECT count(*) FROM sqlite_schema", soci::into(entries);
  } catch (soci::sqlite3_soci_error const&) {
    // Without its extension the code is the same as for a disk failure.
    if (sqlite_api::sqlite3_extended_errcode(sqlite_handle(session)) == SQLITE_IOERR_SHMSIZE)
      refuse(errc::unavailable, path, no_space);
    throw;
  }
}

struct Meaning {
  errc code;
  std::string_view text;  // empty for the library's own message
};

Meaning meaning_of_sqlite(int result) {
  switch (result & 0xFF) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return {errc::busy, "the database is locked by another program"};
    case SQLITE_NOTADB: return {errc::corrupt, "the file is not a SQLite database"};
    case SQLITE_CORRUPT: return {errc::corrupt, "the database is damaged"};
    case SQLITE_PERM:
    case SQLITE_AUTH: return {errc::forbidden, ""};
    case SQLITE_READONLY:
      return {errc::forbidden, "the database, or the directory for its -wal and -shm files, cannot be written"};
    case SQLITE_CANTOPEN:
      return {errc::unavailable, "the database, or the -wal and -shm files beside it, cannot be opened"};
    case SQLITE_INTERRUPT: return {errc::timeout, ""};
    case SQLITE_FULL: return {errc::unavailable, no_space};
    case SQLITE_IOERR: return {errc::unavailable, "reading or writing the database failed (disk I/O error)"};
    default: return {errc::unavailable, ""};
  }
}

}  // namespace

void require_creatable(SqliteUrl const& url) {
  struct stat status {};
  if (::stat(url.path.c_str(), &status) != 0 && (errno == ENOENT || errno == ENOTDIR)) return check_new_file(url.path);
  check_file(url.path, Access::write);
}

std::unique_ptr<soci::session> open_sqlite(SqliteUrl const& url, Access access, std::chrono::milliseconds busy) {
  configure_sqlite();
  check_file(url.path, access);
  auto session =
      std::make_unique<soci::session>(soci::sqlite3, "dbname=\"" + file_uri(url.path, mode_of(access)) + '"');
  *session << "PRAGMA busy_timeout = " << busy.count();
  *session << "PRAGMA foreign_keys = ON";
  look_into(*session, url.path);
  return session;
}

Error translate(soci::soci_error const& failure, SqliteUrl const& url) {
  auto const* known = dynamic_cast<soci::sqlite3_soci_error const*>(&failure);
  auto const meaning = known ? meaning_of_sqlite(known->result()) : Meaning{errc::unavailable, ""};
  auto const text =
      meaning.text.empty() ? without_passwords(failure.get_error_message(), url) : std::string(meaning.text);
  return Error(meaning.code, url.path + ": " + text);
}

}  // namespace deployd::storage
