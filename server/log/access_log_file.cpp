#include "server/log/access_log_file.hpp"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

#include "base/file_descriptor.hpp"
#include "server/log/output.hpp"

namespace deployd::server {
namespace {

struct AccessLogFile {
  AccessLogFile(std::string name, base::FileDescriptor opened) : path(std::move(name)), descriptor(std::move(opened)) {}

  std::string path;
  base::FileDescriptor descriptor;
  LogOutput output{descriptor.get()};
  std::uint64_t lost_lines_reported = 0;
};

/// The file, or null if the lines go to the log.
std::unique_ptr<AccessLogFile>& file() noexcept {
  static std::unique_ptr<AccessLogFile> file;
  return file;
}

base::FileDescriptor open_for_appending(std::string const& path, int flags) {
  // Does not block if the file is a pipe without a reader.
  base::FileDescriptor opened(
      ::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | flags, 0640));
  if (opened.get() < 0) throw std::system_error(errno, std::generic_category(), path);
  return opened;
}

}  // namespace

void open_access_log(std::string const& path) {
  file() = std::make_unique<AccessLogFile>(path, open_for_appending(path, O_CREAT));
}

void reopen_access_log() {
  if (!file()) return;
  auto opened = open_for_appending(file()->path, O_CREAT);
  file()->output.turn_to(opened.get());
  file()->descriptor = std::move(opened);
}

void try_access_log(std::string const& path) {
  try {
    open_for_appending(path, 0);
  } catch (std::system_error const& failure) {
    if (failure.code() != std::errc::no_such_file_or_directory) throw;
    auto const directory = std::filesystem::path(path).parent_path();
    auto const* const name = directory.empty() ? "." : directory.c_str();
    if (::faccessat(AT_FDCWD, name, W_OK | X_OK, AT_EACCESS) != 0)
      throw std::system_error(errno, std::generic_category(), path);
  }
}

void write_access_log(std::string_view lines) noexcept {
  (file() ? file()->output : log_output()).write(lines);
}

void report_lost_access_lines() {
  if (!file()) return;
  auto const lost = file()->output.lost();
  auto const fresh = lost.count - std::exchange(file()->lost_lines_reported, lost.count);
  if (fresh == 0) return;
  spdlog::warn("{} lines of the access log could not be written to {}: {}", fresh, file()->path,
               std::generic_category().message(lost.error));
}

std::uint64_t lost_access_lines() noexcept {
  return file() ? file()->output.lost().count : 0;
}

}  // namespace deployd::server
