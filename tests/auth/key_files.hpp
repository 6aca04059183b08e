// Files of keys for a test, gone when it ends.
#pragma once

#include <stdlib.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <string_view>

namespace deployd::tests {

class KeyFiles {
 public:
  KeyFiles() {
    auto name = (std::filesystem::temp_directory_path() / "deployd-keys-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary directory");
    directory_ = name;
  }
  ~KeyFiles() { std::filesystem::remove_all(directory_); }
  KeyFiles(KeyFiles const&) = delete;
  KeyFiles& operator=(KeyFiles const&) = delete;

  std::string directory() const { return directory_.string(); }

  /// Writes a file and returns its path.
  std::string write(std::string const& name, std::string_view bytes) const {
    auto const path = directory_ / name;
    std::ofstream(path, std::ios::binary) << bytes;
    return path.string();
  }

 private:
  std::filesystem::path directory_;
};

/// The text of a JSON Web Key Set.
inline std::string jwks_of(std::initializer_list<boost::json::object> keys) {
  boost::json::array entries;
  for (auto const& key : keys) entries.push_back(key);
  return boost::json::serialize(boost::json::object{{"keys", entries}});
}

/// A JWK with further members, or with some replaced.
inline boost::json::object with(boost::json::object jwk, boost::json::object const& members) {
  for (auto const& member : members) jwk.insert_or_assign(member.key(), member.value());
  return jwk;
}

}  // namespace deployd::tests
