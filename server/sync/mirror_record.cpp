#include "server/sync/mirror_record.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <string_view>
#include <system_error>

#include "base/file_descriptor.hpp"
#include "base/new_file.hpp"

namespace deployd::server {
namespace {

std::string path_in(std::string const& directory) {
  return directory + "/mirror";
}

}  // namespace

// Two lines: the time in seconds since the epoch, and the source.

std::optional<MirrorRecord> read_mirror_record(std::string const& directory) {
  base::FileDescriptor const file(::open(path_in(directory).c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) return std::nullopt;
  std::array<char, 8192> block{};
  auto const size = ::read(file.get(), block.data(), block.size());
  if (size <= 0) return std::nullopt;
  std::string_view const text(block.data(), static_cast<std::size_t>(size));
  auto const first = text.find('\n');
  auto const second = text.find('\n', first + 1);
  if (first == text.npos || second == text.npos) return std::nullopt;
  std::chrono::sys_seconds::rep seconds = 0;
  auto const [end, failure] = std::from_chars(text.data(), text.data() + first, seconds);
  if (failure != std::errc() || end != text.data() + first) return std::nullopt;
  return MirrorRecord{std::string(text.substr(first + 1, second - first - 1)),
                      std::chrono::sys_seconds(std::chrono::seconds(seconds))};
}

void write_mirror_record(std::string const& directory, MirrorRecord const& record) {
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST)
    throw std::system_error(errno, std::generic_category(), directory);
  base::NewFile file(path_in(directory));
  file.write(std::to_string(record.last_success.time_since_epoch().count()) + '\n' + record.source + '\n');
  if (::fchmod(file.descriptor(), 0644) != 0) file.fail();
  file.name();
}

}  // namespace deployd::server
