// Reads the lists of the API, as another server sends them.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

namespace deployd::storage {

enum class ListKind { patterns, deployments };

/// Takes the rows of a list. Names are UTF-8 without U+0000, and valid during the call only.
class ListRows {
 public:
  virtual void pattern(std::int64_t id, std::string_view name) = 0;
  virtual void deployment(std::int64_t id, std::int64_t pattern_id, std::string_view name) = 0;

 protected:
  ~ListRows() = default;
};

/// Reads a JSON array of `{"id":1,"name":"..."}` (patterns) or `{"id":1,"pattern_id":1,"name":"..."}` (deployments),
/// which arrives in pieces of any size. Memory is limited by the maximum length of a name (1 MiB).
///
/// JSON is parsed strictly (RFC 8259). Members may be in any order, each once; ids are integers of 64 bits. Members
/// that are not named above are skipped, because a later version of the server may have more.
class ListReader {
 public:
  /// `rows` must outlive the reader.
  ListReader(ListKind kind, ListRows& rows);
  ~ListReader();
  ListReader(ListReader const&) = delete;
  ListReader& operator=(ListReader const&) = delete;

  /// Reads the next piece. Throws `Error` with `bad_input` if the text is not such a list, or exceptions of `rows`; the
  /// reader cannot be used afterwards.
  void read(std::string_view piece);

  /// Must be called at the end of the text. Throws the same exceptions as `read`.
  void finish();

 private:
  class Text;
  std::unique_ptr<Text> text_;
};

}  // namespace deployd::storage
