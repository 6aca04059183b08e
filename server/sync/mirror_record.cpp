#include "server/sync/mirror_record.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <fstream>
#include <system_error>

#include "base/new_file.hpp"

namespace deployd::server {
namespace {

std::string path_in(std::string const& directory) {
  return directory + "/mirror";
}

}  // namespace

// Two lines: the time in seconds since the epoch, and the source.

std::optional<MirrorRecord> read_mirror_record(std::string const& directory) {
  std::ifstream file(path_in(directory));
  std::chrono::sys_seconds::rep seconds = 0;
  std::string source;
  if (!(file >> seconds >> std::ws) || !std::getline(file, source)) return std::nullopt;
  return MirrorRecord{source, std::chrono::sys_seconds(std::chrono::seconds(seconds))};
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
