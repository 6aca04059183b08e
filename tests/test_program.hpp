// The programs among the tests, which ./dev runs: their command lines and how they end.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace deployd::tests {

/// An option with a value, and where that goes. Numbers are whole ones from 1 on.
struct ProgramOption {
  std::string_view name;  // as --rounds
  std::variant<int*, std::int64_t*, std::uint16_t*, std::string*> value;
};

/// Reads `options`; the other words are given back. Throws std::invalid_argument for an option that is not among them,
/// has no value or a bad one.
std::vector<std::string> read_options(std::vector<std::string> const& words,
                                      std::initializer_list<ProgramOption> options);

/// The `main` of a program: the exit status is 0 if `run` returns true, 1 if it returns false, and 70 if it
/// throws, which is reported on stderr.
int run_program(char const* name, int argc, char** argv, bool (*run)(std::vector<std::string> const& words));

}  // namespace deployd::tests
