#include "tests/integration/held_thread.hpp"

#include <sys/ptrace.h>
#include <sys/wait.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <system_error>

#include "tests/process.hpp"

namespace deployd::tests {
namespace {

/// 0 when there is none.
pid_t look_for_thread(pid_t pid, std::string_view name) {
  for (auto const& task : std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task"))
    if (read_file(task.path() / "comm") == std::string(name) + "\n") return std::stoi(task.path().filename().string());
  return 0;
}

/// A thread names itself, which may be a moment after the program says that it listens.
pid_t find_thread(pid_t pid, std::string_view name) {
  auto const end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (std::chrono::steady_clock::now() < end)
    if (auto const thread = look_for_thread(pid, name); thread != 0) return thread;
  throw std::runtime_error("there is no thread of the name " + std::string(name));
}

}  // namespace

HeldThread::HeldThread(pid_t pid, std::string_view name) : thread_(find_thread(pid, name)) {
  if (::ptrace(PTRACE_SEIZE, thread_, nullptr, nullptr) != 0 ||
      ::ptrace(PTRACE_INTERRUPT, thread_, nullptr, nullptr) != 0)
    throw std::system_error(errno, std::generic_category(), "a thread cannot be held");
  int status = 0;
  if (::waitpid(thread_, &status, __WALL) != thread_ || !WIFSTOPPED(status))
    throw std::runtime_error("the thread does not stop");
}

HeldThread::~HeldThread() {
  ::ptrace(PTRACE_DETACH, thread_, nullptr, nullptr);
}

}  // namespace deployd::tests
