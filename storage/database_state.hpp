// How the store of one process is doing, for those who watch it.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

namespace deployd::storage {

/// How changes of the data are noticed, and whether they are.
struct ChangeFeed {
  std::string_view
      mode;        // "file": read with each request; "listen": told by the server; "timed": supposed twice a second
  bool up = true;  // false: changes go unnoticed, so that no answer is kept
  std::chrono::nanoseconds lag{0};  // while up: a change that was committed longer ago has been noticed
  std::uint64_t changes = 0;        // "listen": how often a change was noticed
};

struct DatabaseState {
  std::string_view backend;  // "sqlite" or "postgresql"
  ChangeFeed changes;
};

}  // namespace deployd::storage
