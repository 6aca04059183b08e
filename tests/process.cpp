#include "tests/process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <system_error>

namespace deployd::tests {
namespace {

struct Ends {
  int read;
  int write;
};

Ends make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "pipe2");
  return {ends[0], ends[1]};
}

void close_if_open(int& fd) {
  if (fd >= 0) ::close(fd);
  fd = -1;
}

std::vector<std::string> environment_of(Command const& command) {
  std::vector<std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    std::string_view const text = *entry;
    if (text.starts_with("DEPLOYD_")) continue;
    if (command.environment.contains(std::string(text.substr(0, text.find('='))))) continue;
    all.emplace_back(text);
  }
  for (auto const& [name, value] : command.environment) all.push_back(name + "=" + value);
  return all;
}

constexpr std::string_view listen_pid = "LISTEN_PID=";

/// Writes the number of this process behind LISTEN_PID=. Only with what is safe between fork and exec.
void write_own_pid(std::vector<std::string>& environment) {
  for (auto& entry : environment) {
    if (!entry.starts_with(listen_pid)) continue;
    auto* const end = std::to_chars(entry.data() + listen_pid.size(), entry.data() + entry.size(), ::getpid()).ptr;
    *end = '\0';
  }
}

/// Moves `sockets` to the descriptors from 3 on.
bool pass_on(std::vector<int>& sockets) {
  for (auto& socket : sockets) socket = ::fcntl(socket, F_DUPFD_CLOEXEC, 64);  // out of the way
  int wanted = 3;
  for (int const socket : sockets)
    if (::dup2(socket, wanted++) < 0) return false;
  return true;
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> result;
  for (auto& text : strings) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

}  // namespace

Outcome run(Command const& command, std::chrono::milliseconds deadline) {
  return Process(command).wait(deadline);
}

Process::Process(Command const& command) : program_(command.arguments.at(0)), input_(command.input) {
  // A program that ends before it has read its input must not end the test.
  ::signal(SIGPIPE, SIG_IGN);
  start(command);
}

Process::~Process() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  close_if_open(input_fd_);
  close_if_open(out_.fd);
  close_if_open(err_.fd);
}

void Process::start(Command const& command) {
  auto const in = make_pipe();
  auto const out = make_pipe();
  auto const err = make_pipe();
  auto arguments = command.arguments;
  auto environment = environment_of(command);
  auto sockets = command.passed_sockets;
  if (!sockets.empty()) {
    environment.push_back("LISTEN_FDS=" + std::to_string(sockets.size()));
    environment.push_back(std::string(listen_pid) + std::string(20, ' '));
  }
  auto const argv = pointers(arguments);
  auto const envp = pointers(environment);

  pid_ = ::fork();
  if (pid_ < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (pid_ == 0) {
    // Only what is safe between fork and exec, as other threads of the test may hold locks.
    ::signal(SIGPIPE, SIG_DFL);
    int output = out.write;
    if (!command.output_file.empty()) output = ::open(command.output_file.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0666);
    bool const ready = output >= 0 && ::dup2(in.read, 0) >= 0 && ::dup2(output, 1) >= 0 && ::dup2(err.write, 2) >= 0 &&
                       (command.directory.empty() || ::chdir(command.directory.c_str()) == 0);
    if (command.close_output) ::close(out.read);
    if (!sockets.empty()) write_own_pid(environment);
    if (ready && pass_on(sockets)) ::execve(argv[0], argv.data(), envp.data());
    ::_exit(127);
  }
  ::close(in.read);
  ::close(out.write);
  ::close(err.write);
  input_fd_ = in.write;
  out_.fd = out.read;
  err_.fd = err.read;
  for (int const fd : {input_fd_, out_.fd, err_.fd}) ::fcntl(fd, F_SETFL, O_NONBLOCK);
  if (command.close_output) close_if_open(out_.fd);
  if (input_.empty()) close_if_open(input_fd_);
}

/// Moves bytes until something was read or the pipes are closed; false when both are.
bool Process::pump(Deadline deadline) {
  while (out_.fd >= 0 || err_.fd >= 0) {
    auto const left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
    if (left <= 0) fail("takes too long");
    std::array<pollfd, 3> fds{pollfd{out_.fd, POLLIN, 0}, pollfd{err_.fd, POLLIN, 0}, pollfd{input_fd_, POLLOUT, 0}};
    if (::poll(fds.data(), fds.size(), static_cast<int>(left)) < 0 && errno != EINTR) fail("cannot be polled");
    if (fds[2].revents != 0) write_some();
    bool const some_output = fds[0].revents != 0;
    bool const some_errors = fds[1].revents != 0;
    if (some_output) read_some(out_);
    if (some_errors) read_some(err_);
    if (some_output || some_errors) return true;
  }
  return false;
}

void Process::read_some(Pipe& pipe) {
  std::array<char, 65536> buffer;
  auto const count = ::read(pipe.fd, buffer.data(), buffer.size());
  if (count > 0) {
    pipe.text.append(buffer.data(), static_cast<std::size_t>(count));
  } else if (count == 0 || (errno != EAGAIN && errno != EINTR)) {
    close_if_open(pipe.fd);
  }
}

void Process::write_some() {
  auto const count = ::write(input_fd_, input_.data() + input_sent_, input_.size() - input_sent_);
  if (count > 0) input_sent_ += static_cast<std::size_t>(count);
  bool const broken = count < 0 && errno != EAGAIN && errno != EINTR;
  if (broken || input_sent_ == input_.size()) close_if_open(input_fd_);
}

void Process::fail(std::string const& why) {
  throw std::runtime_error(program_ + " " + why + "; standard output: " + out_.text + "\nstandard error: " + err_.text);
}

std::string Process::wait_for_line(std::string_view text, std::chrono::milliseconds deadline) {
  auto const until = std::chrono::steady_clock::now() + deadline;
  while (true) {
    for (auto end = err_.text.find('\n', err_seen_); end != std::string::npos; end = err_.text.find('\n', err_seen_)) {
      auto line = err_.text.substr(err_seen_, end - err_seen_);
      err_seen_ = end + 1;
      if (line.find(text) != std::string::npos) return line;
    }
    if (!pump(until)) fail("ended without saying \"" + std::string(text) + "\"");
  }
}

void Process::signal(int number) const {
  ::kill(pid_, number);
}

Outcome Process::wait(std::chrono::milliseconds deadline) {
  auto const until = std::chrono::steady_clock::now() + deadline;
  while (pump(until)) {
  }
  // Its pipes are closed, so it is ending or has handed itself to the background; the deadline holds for that too.
  int status = 0;
  pid_t ended = 0;
  while ((ended = ::waitpid(pid_, &status, WNOHANG)) == 0) {
    if (std::chrono::steady_clock::now() >= until) fail("closed its output but does not end");
    ::poll(nullptr, 0, 1);
  }
  if (ended < 0) fail("cannot be waited for");
  pid_ = -1;
  return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), out_.text, err_.text};
}

TemporaryDirectory::TemporaryDirectory() {
  auto pattern = (std::filesystem::temp_directory_path() / "deployd-test-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw std::system_error(errno, std::generic_category(), "mkdtemp");
  path_ = pattern;
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string TemporaryDirectory::write(std::string_view name, std::string_view content) const {
  auto const file = path_ / name;
  std::ofstream stream(file, std::ios::binary);
  stream << content;
  if (!stream.flush()) throw std::runtime_error("cannot write " + file.string());
  return file.string();
}

std::string read_file(std::filesystem::path const& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) throw std::runtime_error("cannot read " + path.string());
  return {std::istreambuf_iterator<char>(stream), {}};
}

}  // namespace deployd::tests
