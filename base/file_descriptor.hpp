// An owned file descriptor.
#pragma once

#include <utility>

namespace deployd::base {

/// Owns a file descriptor and closes it.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int fd) noexcept : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(other.release()) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept;
  ~FileDescriptor();

  /// The descriptor, or -1 if there is none.
  int get() const noexcept { return fd_; }
  int release() noexcept { return std::exchange(fd_, -1); }

  /// Returns another descriptor of the same open file, close-on-exec. Throws std::system_error.
  FileDescriptor duplicate() const;

 private:
  int fd_ = -1;
};

}  // namespace deployd::base
