#include "server/keys/kept_keys.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "auth/api_token.hpp"
#include "base/file_descriptor.hpp"
#include "base/new_file.hpp"
#include "storage/sha256.hpp"

namespace deployd::server {
namespace {

using std::chrono::system_clock;

constexpr off_t max_file_bytes = off_t{1} << 20;

[[noreturn]] void fail(std::string const& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

/// Returns the path of the file that keeps the key set of a location.
std::string kept_file(std::string const& directory, KeyLocation const& location) {
  auto const name = (location.issuer ? "issuer " : "") + to_string(location.url);
  constexpr std::size_t digits = 16;
  return fmt::format("{}/jwks-{}.json", directory, storage::hex(auth::hash_of(name)).substr(0, digits));
}

}  // namespace

std::optional<KeptKeys> read_kept_keys(std::string const& directory, KeyLocation const& location) {
  auto const path = kept_file(directory, location);
  base::FileDescriptor const file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (file.get() < 0 && errno == ENOENT) return std::nullopt;
  struct stat status {};
  if (file.get() < 0 || ::fstat(file.get(), &status) != 0) fail(path);
  if (!S_ISREG(status.st_mode)) throw std::runtime_error(path + ": is no regular file");
  if ((status.st_uid != ::geteuid() && status.st_uid != 0) || (status.st_mode & (S_IWGRP | S_IWOTH)) != 0)
    throw std::runtime_error(path + ": other users could have changed it");
  if (status.st_size > max_file_bytes) throw std::runtime_error(path + ": the file is too large");
  std::string text(static_cast<std::size_t>(status.st_size), '\0');
  if (::read(file.get(), text.data(), text.size()) != status.st_size) fail(path);
  auto set = read_key_set(std::move(text), path);
  if (!set) throw std::runtime_error(set.error().what);
  return KeptKeys{std::move(*set), system_clock::from_time_t(status.st_mtim.tv_sec)};
}

void keep_keys(std::string const& directory, KeyLocation const& location, std::string const& text) {
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) fail(directory);
  base::NewFile file(kept_file(directory, location));
  file.write(text);
  if (::fsync(file.descriptor()) != 0) file.fail();
  file.name();
}

}  // namespace deployd::server
