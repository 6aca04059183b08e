// A file that replaces another one as a whole.
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
