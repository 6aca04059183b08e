// Running real programs from tests: arguments, environment and input in; exit status, output and errors out.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace deployd::tests {

/// What is run. The environment is that of the test without any DEPLOYD_* variable, plus `environment`.
struct Command {
  std::vector<std::string> arguments;              // the program's path first
  std::map<std::string, std::string> environment;  // added or replaced
  std::string input;                               // all of standard input
  std::filesystem::path directory;                 // working directory; empty: the test's
  std::filesystem::path output_file;               // standard output goes there, as /dev/full; empty: into Outcome::out
  bool close_output = false;                       // standard output is a pipe that is not read any more
  std::vector<int> passed_sockets = {};            // handed over as systemd does: descriptors 3, 4, ... and LISTEN_FDS
};

struct Outcome {
  int status = -1;  // exit status, or 128 + the signal that ended the process, as shells say it
  std::string out;
  std::string err;
};

/// Runs a program to its end. Throws std::runtime_error with what was printed so far, and kills the program, when it
/// takes longer than `deadline`.
Outcome run(Command const& command, std::chrono::milliseconds deadline = std::chrono::seconds(60));

/// A program that runs beside the test. The destructor kills what still runs.
class Process {
 public:
  explicit Process(Command const& command);
  ~Process();
  Process(Process const&) = delete;
  Process& operator=(Process const&) = delete;

  pid_t pid() const noexcept { return pid_; }

  /// The next line on standard error that contains `text`, without its line end; lines before it are passed over (and
  /// stay in `err()`). Throws std::runtime_error, with all that was printed, when the program ends first or `deadline`
  /// passes.
  std::string wait_for_line(std::string_view text, std::chrono::milliseconds deadline = std::chrono::seconds(30));

  /// Sends a signal, as SIGTERM.
  void signal(int number) const;

  /// Waits for the end of the program. Throws like `run`.
  Outcome wait(std::chrono::milliseconds deadline = std::chrono::seconds(60));

  /// What has been read so far.
  std::string const& out() const noexcept { return out_.text; }
  std::string const& err() const noexcept { return err_.text; }

 private:
  struct Pipe {
    int fd = -1;
    std::string text;
  };

  using Deadline = std::chrono::steady_clock::time_point;

  void start(Command const& command);
  bool pump(Deadline deadline);
  static void read_some(Pipe& pipe);
  void write_some();
  [[noreturn]] void fail(std::string const& why);

  pid_t pid_ = -1;
  std::string program_;
  int input_fd_ = -1;
  std::string input_;
  std::size_t input_sent_ = 0;
  Pipe out_;
  Pipe err_;
  std::size_t err_seen_ = 0;
};

/// A directory of its own that is gone with the object.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(TemporaryDirectory const&) = delete;
  TemporaryDirectory& operator=(TemporaryDirectory const&) = delete;

  std::filesystem::path const& path() const noexcept { return path_; }

  /// Writes a file of this directory and returns its path.
  std::string write(std::string_view name, std::string_view content) const;

 private:
  std::filesystem::path path_;
};

/// The bytes of a file; throws std::runtime_error when it cannot be read.
std::string read_file(std::filesystem::path const& path);

}  // namespace deployd::tests
