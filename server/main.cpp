#include "server/program.hpp"

int main(int argc, char** argv) {
  return deployd::server::run_program({argv + (argc > 0 ? 1 : 0), argv + argc});
}
