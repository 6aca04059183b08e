// How much memory another process takes, from the kernel's own books.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <thread>

namespace deployd::tests {

/// Resident bytes of a process now; 0 when it is gone.
std::uint64_t resident_bytes(pid_t process);

/// The most that a process has had resident, in bytes; 0 when it is gone.
std::uint64_t peak_resident_bytes(pid_t process);

/// Has the peak of a process begin again at what is resident now: at the start the page is compressed, which takes
/// more.
void forget_peak(pid_t process);

/// Looks at a process, on a thread of its own, many times a second.
class MemoryWatch {
 public:
  explicit MemoryWatch(pid_t process);

  /// The most bytes seen resident since the watch began.
  std::uint64_t most() const noexcept { return most_; }
  /// The process's own peak, as it was last seen: also that of a process that has ended meanwhile.
  std::uint64_t peak() const noexcept { return peak_; }

 private:
  std::atomic<std::uint64_t> most_{0};
  std::atomic<std::uint64_t> peak_{0};
  std::jthread thread_;
};

}  // namespace deployd::tests
