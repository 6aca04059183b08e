#include "auth/key_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <system_error>
#include <utility>

#include "auth/key_error.hpp"
#include "base/byte_order_mark.hpp"

namespace deployd::auth {
namespace {

constexpr std::size_t max_file_bytes = std::size_t{1} << 20;

class Descriptor {
 public:
  explicit Descriptor(std::string const& path) : value_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  Descriptor(Descriptor const&) = delete;
  Descriptor& operator=(Descriptor const&) = delete;
  int get() const noexcept { return value_; }

 private:
  int value_;
};

[[noreturn]] void fail(std::string const& path, int error) {
  throw KeyError(path + ": " + std::generic_category().message(error));
}

mode_t mode_of(Descriptor const& file) noexcept {
  struct stat status {};
  return ::fstat(file.get(), &status) == 0 && S_ISREG(status.st_mode) ? status.st_mode & 07777 : 0;
}

}  // namespace

KeyFile read_key_file(std::string const& path) {
  Descriptor const file(path);
  if (file.get() < 0) fail(path, errno);
  std::string bytes;
  std::array<char, 4096> block;
  while (true) {
    auto const got = ::read(file.get(), block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail(path, errno);  // for example EISDIR
    if (got == 0) break;
    bytes.append(block.data(), static_cast<std::size_t>(got));
    if (bytes.size() > max_file_bytes) throw KeyError(path + ": the file is larger than 1 MiB");
  }
  auto const marked = bytes.starts_with(base::byte_order_mark);
  if (marked) bytes.erase(0, base::byte_order_mark.size());
  if (bytes.empty()) throw KeyError(path + ": the file is empty");
  return {path, std::move(bytes), marked, mode_of(file)};
}

std::optional<std::string> exposure_of(KeyFile const& file, std::string_view secret) {
  auto const* const who = (file.mode & S_IRWXO) != 0   ? "every user of this machine can get at"
                          : (file.mode & S_IWGRP) != 0 ? "its group can replace"
                                                       : nullptr;
  if (who == nullptr) return std::nullopt;
  return fmt::format("{}: {} {} (mode {:04o}): chmod 640, or 600", file.path, who, secret, file.mode);
}

}  // namespace deployd::auth
