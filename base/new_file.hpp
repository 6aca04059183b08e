// A file that is complete when it gets its name.
#pragma once

#include <string>
#include <string_view>

#include "base/file_descriptor.hpp"

namespace deployd::base {

/// A file with mode 0600 that gets its name when it is complete. All functions throw std::system_error naming the file.
class NewFile {
 public:
  /// Creates a file beside `path`.
  explicit NewFile(std::string path);
  /// Removes the file unless it has got its name.
  ~NewFile();
  NewFile(NewFile const&) = delete;
  NewFile& operator=(NewFile const&) = delete;

  void write(std::string_view bytes);
  /// Replaces the file at `path`.
  void name();
  /// Gives the file its name when it is on the disk. Fails with std::errc::file_exists if there is a file at `path`.
  void name_on_disk();

  /// The path until the file gets its name.
  std::string const& temporary_path() const noexcept { return temporary_; }
  int descriptor() const noexcept { return file_.get(); }
  /// Throws the error in `errno`.
  [[noreturn]] void fail() const;

 private:
  std::string path_;
  std::string temporary_;
  FileDescriptor file_;
  bool named_ = false;
};

}  // namespace deployd::base
