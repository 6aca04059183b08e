#include "server/keys/kept_keys.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <stdexcept>
#include <string_view>
#include <system_error>

#include "auth/api_token.hpp"
#include "auth/strict_json.hpp"
#include "base/file_descriptor.hpp"
#include "base/new_file.hpp"
#include "storage/sha256.hpp"

namespace deployd::server {
namespace {

using std::chrono::system_clock;

// A set of 1 MiB, escaped.
constexpr std::size_t max_file_bytes = std::size_t{8} << 20;

/// What the file says that it is of.
std::string source_of(KeyLocation const& location) {
  return (location.issuer ? "issuer " : "") + to_string(location.url);
}

[[noreturn]] void fail(std::string const& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

std::string read_all(int file, std::string const& path) {
  std::string bytes;
  std::array<char, 16384> block;
  while (bytes.size() <= max_file_bytes) {
    auto const got = ::read(file, block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail(path);
    if (got == 0) return bytes;
    bytes.append(block.data(), static_cast<std::size_t>(got));
  }
  throw std::runtime_error(path + ": the file is too large");
}

timespec to_timespec(system_clock::time_point time) noexcept {
  auto const seconds = std::chrono::floor<std::chrono::seconds>(time);
  timespec result{};
  result.tv_sec = system_clock::to_time_t(seconds);
  return result;
}

}  // namespace

std::string kept_file(std::string const& directory, KeyLocation const& location) {
  constexpr std::size_t digits = 16;
  return fmt::format("{}/jwks-{}.json", directory, storage::hex(auth::hash_of(source_of(location))).substr(0, digits));
}

std::optional<KeptKeys> read_kept_keys(std::string const& directory, KeyLocation const& location) {
  auto const path = kept_file(directory, location);
  base::FileDescriptor const file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (file.get() < 0 && errno == ENOENT) return std::nullopt;
  struct stat status {};
  if (file.get() < 0 || ::fstat(file.get(), &status) != 0) fail(path);
  if (!S_ISREG(status.st_mode)) throw std::runtime_error(path + ": is no regular file");
  if ((status.st_uid != ::geteuid() && status.st_uid != 0) || (status.st_mode & (S_IWGRP | S_IWOTH)) != 0)
    throw std::runtime_error(path + ": other users could have changed it");
  auto const document = auth::read_json_object(read_all(file.get(), path), {4});
  auto const text_of = [&](std::string_view member) -> std::string {
    auto const* const value = document ? document->if_contains(member) : nullptr;
    if (value == nullptr || !value->is_string()) throw std::runtime_error(path + ": is damaged");
    return std::string(value->get_string());
  };
  if (text_of("source") != source_of(location)) throw std::runtime_error(path + ": holds the keys of another source");
  return KeptKeys{text_of("jwks"), system_clock::from_time_t(status.st_mtim.tv_sec)};
}

void keep_keys(std::string const& directory, KeyLocation const& location, KeptKeys const& keys) {
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) fail(directory);
  auto const path = kept_file(directory, location);
  boost::json::object const document{{"source", source_of(location)}, {"jwks", keys.text}};
  base::NewFile file(path);
  file.write(boost::json::serialize(document));
  std::array const times{to_timespec(keys.fetched), to_timespec(keys.fetched)};
  if (::futimens(file.descriptor(), times.data()) != 0 || ::fsync(file.descriptor()) != 0) file.fail();
  file.name();
}

void touch_kept_keys(std::string const& directory, KeyLocation const& location, system_clock::time_point now) noexcept {
  try {
    std::array const times{to_timespec(now), to_timespec(now)};
    ::utimensat(AT_FDCWD, kept_file(directory, location).c_str(), times.data(), AT_SYMLINK_NOFOLLOW);
  } catch (std::bad_alloc const&) {
    return;
  }
}

}  // namespace deployd::server
