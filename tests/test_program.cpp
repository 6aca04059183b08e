#include "tests/test_program.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <exception>
#include <stdexcept>

namespace deployd::tests {
namespace {

// Parses a value. False if the text is not of that kind.
bool set(std::string* value, std::string const& text) {
  *value = text;
  return true;
}

template <typename Number>
bool set(Number* value, std::string const& text) {
  auto const* const end = text.data() + text.size();
  auto const [stop, error] = std::from_chars(text.data(), end, *value);
  return error == std::errc() && stop == end && *value >= 1;
}

}  // namespace

std::vector<std::string> read_options(std::vector<std::string> const& words,
                                      std::initializer_list<ProgramOption> options) {
  std::vector<std::string> others;
  for (auto word = words.begin(); word != words.end(); ++word) {
    if (!word->starts_with("--")) {
      others.push_back(*word);
      continue;
    }
    auto const* const option = std::ranges::find(options, *word, &ProgramOption::name);
    if (option == options.end()) throw std::invalid_argument("there is no option " + *word);
    if (++word == words.end()) throw std::invalid_argument(std::string(option->name) + " has no value");
    if (!std::visit([&](auto* value) { return set(value, *word); }, option->value))
      throw std::invalid_argument(std::string(option->name) + " cannot be '" + *word + "'");
  }
  return others;
}

int run_program(char const* name, int argc, char** argv, bool (*run)(std::vector<std::string> const& words)) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  try {
    return run({argv + 1, argv + argc}) ? 0 : 1;
  } catch (std::exception const& failure) {
    std::fprintf(stderr, "%s: %s\n", name, failure.what());
    return 70;
  }
}

}  // namespace deployd::tests
