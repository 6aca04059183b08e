// Errors of the store, as error codes and as the only exception of this layer.
#pragma once

#include <boost/system/error_code.hpp>

#include <stdexcept>
#include <string>

namespace deployd::storage {

enum class errc {
  bad_database_url = 1,  // configuration: --database cannot be parsed
  unavailable,           // the store cannot be reached or read now; it may recover
  overloaded,            // the queue for the store is full
  timeout,               // waiting and querying took longer than --store-timeout
  missing,               // no such database file, or it has no schema of deployd
  older_schema,          // `deployd migrate` is needed
  newer_schema,          // this deployd is too old for the store
  corrupt,               // the file is not a database, or is damaged
  forbidden,             // the operating system or the server denies access
  busy,                  // locked by another writer for too long
  unsuitable,            // columns of tables or relations of another program do not fit
  bad_input,             // data to be imported is invalid
};

boost::system::error_category const& category() noexcept;

inline boost::system::error_code make_error_code(errc e) noexcept {
  return {static_cast<int>(e), category()};
}

/// A failure with a line for the operator. `what()` is one line that names the file, host or row at fault and contains
/// no password.
class Error : public std::runtime_error {
 public:
  Error(errc code, std::string const& line) : std::runtime_error(line), code_(code) {}
  errc code() const noexcept { return code_; }

 private:
  errc code_;
};

}  // namespace deployd::storage

template <>
struct boost::system::is_error_code_enum<deployd::storage::errc> : std::true_type {};
