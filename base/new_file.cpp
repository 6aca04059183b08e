#include "base/new_file.hpp"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

namespace deployd::base {

NewFile::NewFile(std::string path) : path_(std::move(path)), temporary_(path_ + ".XXXXXX") {
  file_ = FileDescriptor(::mkostemp(temporary_.data(), O_CLOEXEC));
  if (file_.get() < 0) throw std::system_error(errno, std::generic_category(), temporary_);
}

NewFile::~NewFile() {
  if (!named_) ::unlink(temporary_.c_str());
}

void NewFile::write(std::string_view bytes) {
  while (!bytes.empty()) {
    auto const sent = ::write(file_.get(), bytes.data(), bytes.size());
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) fail();
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

void NewFile::name() {
  if (std::rename(temporary_.c_str(), path_.c_str()) != 0) fail();
  named_ = true;
}

void NewFile::name_on_disk() {
  if (::fsync(file_.get()) != 0) fail();
  if (::renameat2(AT_FDCWD, temporary_.c_str(), AT_FDCWD, path_.c_str(), RENAME_NOREPLACE) != 0) fail();
  named_ = true;
  auto const folder = std::filesystem::path(path_).parent_path();
  FileDescriptor const directory(::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() < 0 || ::fsync(directory.get()) != 0) fail();
}

void NewFile::fail() const {
  throw std::system_error(errno, std::generic_category(), path_);
}

}  // namespace deployd::base
