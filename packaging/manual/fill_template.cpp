// deployd-manual TEMPLATE: fills in what the program's own tables say, for manual pages and the completion of shells.
//
// A line of the template that is one of `blocks` is replaced by what it stands for; `phrases` are replaced anywhere.
#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>

#include "server/commands/command_table.hpp"
#include "server/options/option_table.hpp"

namespace {

using namespace deployd::server;

/// As it stands in roff: nothing in it is a request, and dashes are those that can be pasted.
std::string roff(std::string_view text) {
  std::string escaped = text.starts_with('.') || text.starts_with('\'') ? "\\&" : "";
  for (char const c : text) {
    if (c == '\\')
      escaped += "\\e";
    else if (c == '-')
      escaped += "\\-";
    else
      escaped += c;
  }
  return escaped;
}

/// `Help text.`, unless it begins with something that is no word.
std::string sentence(std::string_view help) {
  std::string text(help);
  auto const word = text.substr(0, text.find(' '));
  if (word.find_first_not_of("abcdefghijklmnopqrstuvwxyz") == word.npos)
    text.front() = static_cast<char>(text.front() - 'a' + 'A');
  return roff(text) + (text.ends_with('.') ? "" : ".");
}

std::string commands_of(OptionSpec const& option) {
  std::string names;
  for (auto const& command : command_table()) {
    if ((command.bit & option.commands) == 0) continue;
    if (!names.empty()) names += ", ";
    names += full_name(command);
  }
  return names;
}

std::string synopsis() {
  std::string text;
  for (auto const& command : command_table())
    text += fmt::format("{}.B deployd {}\n[\\fIOPTIONS\\fR]{}\n", text.empty() ? "" : ".br\n", full_name(command),
                        command.operand.empty() ? "" : fmt::format(" \\fI{}\\fR", command.operand));
  return text;
}

std::string commands() {
  std::string text;
  for (auto const& command : command_table())
    text += fmt::format(".TP\n.B {}\n{}\n", full_name(command), sentence(command.help));
  return text;
}

std::string options() {
  std::string text;
  for (auto const& option : option_table()) {
    text += fmt::format(".TP\n\\fB\\-\\-{}\\fR", roff(option.name));
    if (!option.argument.empty()) text += fmt::format(" \\fI{}\\fR", roff(option.argument));
    text += '\n' + sentence(option.help);
    if (option.repeatable) text += " May be given several times.";
    if (!option.default_value.empty()) text += fmt::format(" Default: {}.", roff(option.default_value));
    text +=
        fmt::format("\n.br\nOf {}; {} in the environment.\n", commands_of(option), roff(environment_name(option.name)));
  }
  return text;
}

std::string keys() {
  std::string text;
  for (auto const& option : option_table()) {
    if (option.name == "config") continue;
    auto const* const type = option.argument.empty() ? "true or false" : option.repeatable ? "array" : "text or number";
    text += fmt::format(".TP\n\\fB{}\\fR ({})\n{}", roff(option.name), type, sentence(option.help));
    if (!option.argument.empty()) text += fmt::format(" Written as \\fI{}\\fR.", roff(option.argument));
    if (!option.default_value.empty()) text += fmt::format(" Default: {}.", roff(option.default_value));
    text += fmt::format("\n.br\nOf {}.\n", commands_of(option));
  }
  return text;
}

/// What may stand behind an option, as branches of a shell's `case`.
std::string values_in_shell() {
  std::string text;
  std::string free;
  for (auto const& option : option_table()) {
    if (option.argument.empty()) continue;
    if (option.argument.find('|') != option.argument.npos) {
      std::string words(option.argument);
      for (auto& c : words)
        if (c == '|') c = ' ';
      text += fmt::format("    --{}) words='{}' ;;\n", option.name, words);
    } else if (option.argument == "FILE" || option.argument == "DIRECTORY") {
      text += fmt::format("    --{}) files=yes ;;\n", option.name);
    } else {
      free += fmt::format("{}--{}", free.empty() ? "" : " | ", option.name);
    }
  }
  return text + fmt::format("    {}) ;;\n", free);
}

/// What may stand behind a command, as branches of a shell's `case`.
std::string options_in_shell() {
  std::string text;
  for (auto const& command : command_table()) {
    std::string words;
    for (auto const& option : option_table())
      if ((option.commands & command.bit) != 0) words += fmt::format("--{} ", option.name);
    text += fmt::format("        '{}') words='{}--help'{} ;;\n", full_name(command), words,
                        command.operand == "FILE" ? " files=yes" : "");
  }
  return text;
}

/// One line per option: name, argument, default, repeatable or not, commands and help, separated by tabs.
std::string table() {
  std::string text;
  for (auto const& option : option_table())
    text += fmt::format("{}\t{}\t{}\t{}\t{}\t{}\n", option.name, option.argument, option.default_value,
                        option.repeatable ? "repeatable" : "", commands_of(option), option.help);
  return text;
}

std::map<std::string, std::function<std::string()>> const blocks{
    {"@synopsis@", synopsis}, {"@commands@", commands},      {"@options@", options},
    {"@keys@", keys},         {"@values@", values_in_shell}, {"@command_options@", options_in_shell},
    {"@table@", table},
};

/// The names of the commands for which `below_token` holds, or not.
std::string names(bool below_token) {
  std::string text = below_token ? "" : "token ";
  for (auto const& command : command_table())
    if (((command.bit & token_commands) != 0) == below_token) text += std::string(command.name) + ' ';
  text.pop_back();
  return text;
}

std::map<std::string, std::string> const phrases{
    {"@version@", DEPLOYD_VERSION}, {"@command_names@", names(false)}, {"@token_names@", names(true)}};

void fill(std::istream& file) {
  for (std::string line; std::getline(file, line);) {
    if (auto const block = blocks.find(line); block != blocks.end()) {
      std::cout << block->second();
      continue;
    }
    for (auto const& [phrase, text] : phrases)
      if (auto const at = line.find(phrase); at != line.npos) line.replace(at, phrase.size(), text);
    std::cout << line << '\n';
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    std::ifstream file(argc == 2 ? argv[1] : "");
    if (!file) throw std::runtime_error("usage: deployd-manual TEMPLATE");
    fill(file);
    return std::cout.flush() ? 0 : 1;
  } catch (std::exception const& error) {
    std::fprintf(stderr, "deployd-manual: %s\n", error.what());
    return 1;
  }
}
