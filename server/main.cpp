// The program `deployd`: its command line, and the exit status of each failure.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <exception>
#include <new>

#include "auth/key_error.hpp"
#include "base/nearest_name.hpp"
#include "server/commands/command_table.hpp"
#include "server/commands/commands.hpp"
#include "server/listen/descriptor_limit.hpp"
#include "server/log/format.hpp"
#include "server/log_setup.hpp"
#include "server/options/option_table.hpp"
#include "server/serve.hpp"
#include "storage/error.hpp"

namespace deployd::server {
namespace {

// Shown to users who run `deployd` without arguments.
constexpr std::string_view first_steps = R"(deployd serves the read-only deployments REST API. To begin:

  deployd import FILE               load patterns and deployments into a new store, deployd.db
  deployd token create --name NAME  create an API token and print it
  deployd serve                     serve the store on 127.0.0.1:8080

`deployd help` lists all commands, `deployd help COMMAND` describes one.

)";

/// The arguments of the program, sorted into a command, its flags and its operands.
class CommandLine {
 public:
  explicit CommandLine(std::vector<std::string> arguments) {
    spell_out(arguments);
    app_.require_subcommand(1);
    app_.set_version_flag("-V,--version", std::string("deployd ") + DEPLOYD_VERSION);
    app_.footer("deployd help COMMAND describes a command, and deployd version prints the version.");
    auto* const token =
        app_.add_subcommand("token", "create, list, revoke, sign and check tokens")->require_subcommand(1);
    for (auto& command : commands_) {
      auto const below_token = (command.spec.bit & token_commands) != 0;
      command.app =
          (below_token ? token : &app_)->add_subcommand(std::string(command.spec.name), std::string(command.spec.help));
      prepare(command);
    }
    require_command(arguments);
    require_values(arguments);
    auto reversed = arguments;
    std::reverse(reversed.begin(), reversed.end());  // the order that CLI11 expects
    try {
      app_.parse(reversed);
    } catch (CLI::Success const& asked_for) {
      // Help and version are requested output, so they go to standard output.
      text_ = asked_for.get_name() == "CallForVersion" ? std::string(asked_for.what()) + '\n' : app_.help();
      return;
    } catch (CLI::ParseError const& failure) {
      throw UsageError(explain(failure, arguments));
    }
    for (auto& command : commands_)
      if (command.app->parsed()) chosen_ = &command;
    refuse_unknown_options();
  }

  /// Returns the text for --help or --version; empty if a command must be run.
  std::string const& text() const noexcept { return text_; }

  /// Runs the command. `settings` become those that it reads, also if it fails.
  int run(Settings& settings) const {
    settings = gather();
    configure_log(settings);
    for (auto const& line : settings.complaints()) spdlog::warn("{}", line);
    if (chosen_->spec.bit == serve_command) return run_serve(settings, [this] { return gather(); });
    return chosen_->spec.run(settings, chosen_->operands);
  }

 private:
  struct Command {
    explicit Command(CommandSpec const& table_entry) : spec(table_entry) {}

    CommandSpec const& spec;
    CLI::App* app = nullptr;
    std::vector<std::string> operands;
  };

  /// Replaces the words `help COMMAND` and `version` with the options --help and --version.
  static void spell_out(std::vector<std::string>& arguments) {
    if (arguments.empty()) return;
    if (arguments.front() == "version") {
      if (arguments.size() > 1) throw UsageError(fmt::format("{} is one word too many", shown(arguments[1])));
      arguments.front() = "--version";
    } else if (arguments.front() == "help") {
      arguments.erase(arguments.begin());
      if (!arguments.empty() && (arguments.front() == "help" || arguments.front() == "version")) arguments.clear();
      arguments.emplace_back("--help");
    }
  }

  /// Refuses a first word that is not a command, and a second one that is not a subcommand of `token`, and suggests a
  /// similar one.
  void require_command(std::vector<std::string> const& arguments) const {
    if (arguments.empty()) return;
    auto const& first = arguments.front();
    refuse_leading_option(first, "COMMAND");
    auto const of_token = command_names(true);
    auto names = command_names(false);
    names.emplace_back("token");
    if (!first.starts_with('-') && std::ranges::find(names, first) == names.end()) {
      names.insert(names.end(), {"help", "version"});
      bool const below_token = std::ranges::find(of_token, first) != of_token.end();
      auto const meant = below_token ? "token " + first : std::string(base::nearest_name(first, names));
      throw UsageError(fmt::format("there is no command {}; {}", shown(first), suggest(meant)));
    }
    if (first != "token" || arguments.size() == 1) return;
    refuse_leading_option(arguments[1], "token COMMAND");
    auto const meant = base::nearest_name(arguments[1], of_token);
    if (arguments[1].starts_with('-') || meant.empty() || meant == arguments[1]) return;
    throw UsageError(
        fmt::format("token has no command {}; {}", shown(arguments[1]), suggest(fmt::format("token {}", meant))));
  }

  /// Refuses an option of a command that is given before the command.
  static void refuse_leading_option(std::string_view word, std::string_view command) {
    auto const* const option = option_of(word);
    if (option == nullptr) return;
    throw UsageError(fmt::format("--{}: options follow the command: `deployd {} --{}{}{}`", option->name, command,
                                 option->name, option->argument.empty() ? "" : " ", option->argument));
  }

  static std::string suggest(std::string const& command) {
    return command.empty() ? "see `deployd --help`" : fmt::format("did you mean `deployd {}`?", command);
  }

  std::vector<std::string_view> command_names(bool below_token) const {
    std::vector<std::string_view> names;
    for (auto const& command : commands_)
      if (((command.spec.bit & token_commands) != 0) == below_token) names.push_back(command.spec.name);
    return names;
  }

  /// Breaks `text` into lines for a terminal. CLI11 does not wrap footers.
  static std::string wrapped(std::string_view text) {
    constexpr std::size_t columns = 80;
    std::string lines;
    std::size_t column = 0;
    while (!text.empty()) {
      auto const end = std::min(text.find_first_of(" \n"), text.size());
      if (column != 0 && column + 1 + end > columns) {
        lines += '\n';
        column = 0;
      }
      if (column != 0) lines += ' ';
      column += end + (column == 0 ? 0 : 1);
      lines += text.substr(0, end);
      bool const breaks = end < text.size() && text[end] == '\n';
      if (breaks) lines += '\n';
      if (breaks) column = 0;
      text.remove_prefix(std::min(end + 1, text.size()));
    }
    return lines;
  }

  static std::string describe(OptionSpec const& option) {
    auto text = std::string(option.help);
    if (option.repeatable) text += "; repeatable";
    if (!option.default_value.empty()) text += fmt::format(" (default: {})", option.default_value);
    return text;
  }

  static void prepare(Command& command) {
    command.app->footer(wrapped(command.spec.more));
    command.app->allow_extras();  // so that our own message can name an unknown option and suggest another
    for (auto const& option : option_table()) {
      if ((option.commands & command.spec.bit) == 0) continue;
      auto const flag = fmt::format("--{}", option.name);
      auto const help = describe(option);  // const: for a variable CLI11 would select the overload that writes to it
      if (option.argument.empty()) {
        command.app->add_flag(flag, help);
        continue;
      }
      auto* const added = command.app->add_option(flag, CLI::callback_t([](auto const&) { return true; }), help);
      added->type_name(std::string(option.argument))->type_size(1)->expected(1);
      added->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    }
    if (command.spec.operand.empty()) return;
    auto* const operand = command.app->add_option(std::string(command.spec.operand), command.operands)->required();
    if ((command.spec.bit & (token_revoke_command | backup_command)) != 0) operand->expected(1);
  }

  /// Refuses an option without its value. CLI11 would take the next option as the value.
  static void require_values(std::vector<std::string> const& arguments) {
    for (auto word = arguments.begin(); word != arguments.end() && *word != "--"; ++word) {
      auto const* const option = option_of(*word);
      if (option == nullptr || option->argument.empty()) continue;
      auto const equals = word->find('=');
      if (equals != word->npos) {
        if (equals + 1 == word->size()) throw UsageError(fmt::format("--{}: is empty", option->name));
        continue;
      }
      if (++word == arguments.end() || option_of(*word) != nullptr)
        throw UsageError(fmt::format("--{}: its value is missing ({})", option->name, option->argument));
    }
  }

  /// Returns a word as it may be quoted: a URL in the wrong place may contain a password.
  static std::string shown(std::string const& word) {
    constexpr std::string_view mark = "://";
    auto const at = word.find(mark);
    return at == word.npos ? "'" + word + "'" : "'" + word.substr(0, at + mark.size()) + "...'";
  }

  /// Returns the name between the dashes and the value.
  static std::string_view name_of(std::string_view flag) { return flag.substr(2, flag.find('=') - 2); }

  static OptionSpec const* option_of(std::string_view word) {
    return word.starts_with("--") ? find_option(name_of(word)) : nullptr;
  }

  CLI::App const& asked_app() const {
    CLI::App const* deepest = &app_;
    while (!deepest->get_subcommands().empty()) deepest = deepest->get_subcommands().front();
    return *deepest;
  }

  std::string explain(CLI::ParseError const& failure, std::vector<std::string> const& arguments) const {
    if (arguments.empty()) return "no command is given; see `deployd --help`";
    if (failure.get_name() == "RequiredError" && app_.get_subcommands().empty()) {
      constexpr std::array<std::string_view, 2> names{"--help", "--version"};
      auto const nearest = base::nearest_name(arguments.front(), names);
      return fmt::format("no command is given, but {}; {}", shown(arguments.front()),
                         nearest.empty() ? "see `deployd --help`" : fmt::format("did you mean {}?", nearest));
    }
    if (failure.get_name() == "RequiredError" && asked_app().get_name() == "token")
      return "token takes one of the commands create, list, revoke, sign and check; see `deployd token --help`";
    for (auto const& command : commands_) {
      if (command.app != &asked_app()) continue;
      if (failure.get_name() == "RequiredError")
        return fmt::format("{} needs {}; see `deployd {} --help`", full_name(command.spec), command.spec.operand,
                           full_name(command.spec));
      if (failure.get_name() == "ArgumentMismatch")
        return fmt::format("{} takes one {}", full_name(command.spec), command.spec.operand);
    }
    auto const option = std::ranges::find_if(arguments, [](auto const& word) { return word.starts_with('-'); });
    if (failure.get_exit_code() == static_cast<int>(CLI::ExitCodes::ExtrasError) && option != arguments.end())
      return fmt::format("there is no option {} in front of a command; see `deployd --help`", shown(*option));
    std::string line = failure.what();
    std::replace(line.begin(), line.end(), '\n', ' ');
    return line;
  }

  void refuse_unknown_options() const {
    auto extras = app_.remaining(true);
    std::erase(extras, "--");  // marks the end of the options
    if (extras.empty()) return;
    auto const& word = extras.front();
    if (!word.starts_with("--")) throw UsageError(fmt::format("{} is one word too many", shown(word)));
    auto const name = name_of(word);
    auto const nearest = nearest_option(name, chosen_->spec.bit);
    throw UsageError(fmt::format("{} has no option --{}{}", full_name(chosen_->spec), name,
                                 nearest.empty() ? "" : fmt::format("; did you mean --{}?", nearest)));
  }

  Settings gather() const {
    Flags flags;
    for (auto const& option : option_table()) {
      if ((option.commands & chosen_->spec.bit) == 0) continue;
      auto const* const given = chosen_->app->get_option(fmt::format("--{}", option.name));
      if (given->count() != 0) flags.emplace(option.name, given->results());
    }
    return Settings::gather(std::move(flags), chosen_->spec.bit);
  }

  CLI::App app_{"deployd serves the read-only deployments REST API.", "deployd"};
  std::vector<Command> commands_{command_table().begin(), command_table().end()};
  Command const* chosen_ = nullptr;
  std::string text_;
};

/// Prints the message of a failure as one line without secrets: it may quote the command line, a file or the
/// environment, in which names may contain line breaks, and a URL in the wrong place a password.
int complain(std::exception const& failure, ExitStatus status, Settings const& settings) noexcept {
  std::string line;
  try {
    line = one_line(settings.with_origin(failure.what()));
  } catch (std::bad_alloc const&) {
    line = "out of memory";
  }
  std::fprintf(stderr, "%sdeployd: %s\n", journal_prefix(spdlog::level::err).data(), line.c_str());
  return static_cast<int>(status);
}

ExitStatus status_of(storage::errc code) noexcept {
  switch (code) {
    case storage::errc::bad_input: return ExitStatus::data;
    case storage::errc::bad_database_url: return ExitStatus::configuration;
    default: return ExitStatus::unavailable;
  }
}

bool is_want_of_descriptors(boost::system::error_code const& failure) noexcept {
  using namespace boost::system::errc;
  return failure == too_many_files_open || failure == too_many_files_open_in_system;
}

int run_program(std::vector<std::string> arguments) noexcept {
  // A file that has reached its size limit (LimitFSIZE=) makes the write fail, as a full disk does.
  std::signal(SIGXFSZ, SIG_IGN);
  Settings settings;
  try {
    if (arguments.empty()) print(std::string(first_steps));
    CommandLine const line(std::move(arguments));
    if (line.text().empty()) return line.run(settings);
    print(line.text());
    return 0;
  } catch (Failure const& failure) {
    return complain(failure, failure.exit_status, settings);
  } catch (auth::KeyError const& failure) {
    return complain(failure, ExitStatus::configuration, settings);
  } catch (storage::Error const& failure) {
    return complain(failure, status_of(failure.code()), settings);
  } catch (boost::system::system_error const& failure) {
    return complain(failure, is_want_of_descriptors(failure.code()) ? ExitStatus::unavailable : ExitStatus::software,
                    settings);
  } catch (std::exception const& failure) {
    return complain(failure, ExitStatus::software, settings);
  }
}

}  // namespace
}  // namespace deployd::server

int main(int argc, char** argv) {
  return deployd::server::run_program({argv + (argc > 0 ? 1 : 0), argv + argc});
}
