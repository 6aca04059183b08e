// What can go wrong between deployd and its store, as error codes and as the one exception of this layer.
#pragma once

#include <boost/system/error_code.hpp>

#include <stdexcept>
#include <string>

namespace deployd::storage {

enum class errc {
  bad_database_url = 1,  // configuration: --database cannot be understood
  unavailable,           // the store cannot be reached or read now; it may come back
  overloaded,            // the queue before the store is full
  timeout,               // waiting and querying took longer than --store-timeout
  missing,               // no such database file, or no schema of deployd in it
  older_schema,          // `deployd migrate` is needed
  newer_schema,          // this deployd is too old for the store
  corrupt,               // the file is no database, or a damaged one
  forbidden,             // the operating system or the server denies access
  busy,                  // locked by another writer for too long
  unsuitable,            // tables or relations of another program whose columns cannot be what deployd reads
  bad_input,             // data to be imported is not what it should be
};

boost::system::error_category const& category() noexcept;

inline boost::system::error_code make_error_code(errc e) noexcept {
  return {static_cast<int>(e), category()};
}

/// A failure with the line an operator reads. `what()` is one line that names the file, host or row at fault and
/// holds no password.
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
