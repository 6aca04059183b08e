// Holding one thread of another process still, as a debugger does.
#pragma once

#include <sys/types.h>

#include <string_view>

namespace deployd::tests {

/// Of the process `pid`, a child of this one, stops one thread of the name `name` while the others go on. Lets it go
/// with the object, which must be on the thread that made it.
class HeldThread {
 public:
  /// Throws std::runtime_error when there is no such thread or it cannot be held.
  HeldThread(pid_t pid, std::string_view name);
  ~HeldThread();
  HeldThread(HeldThread const&) = delete;
  HeldThread& operator=(HeldThread const&) = delete;

 private:
  pid_t thread_ = -1;
};

}  // namespace deployd::tests
