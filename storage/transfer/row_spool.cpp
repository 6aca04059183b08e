#include "storage/transfer/row_spool.hpp"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "base/file_descriptor.hpp"
#include "storage/error.hpp"

namespace deployd::storage {

RowSpool::RowSpool() {
  std::error_code failure;
  directory_ = std::filesystem::temp_directory_path(failure).string();
  if (failure) throw Error(errc::unavailable, "TMPDIR: " + failure.message());
  auto path = directory_ + "/deployd-rows-XXXXXX";
  base::FileDescriptor descriptor(::mkostemp(path.data(), O_CLOEXEC));
  if (descriptor.get() < 0) fail();
  ::unlink(path.c_str());
  file_.reset(::fdopen(descriptor.get(), "w+b"));
  if (!file_) fail();
  descriptor.release();
}

void RowSpool::add(ImportRow const& row) {
  Head const head{row.id, row.pattern_id.value_or(0), static_cast<std::uint32_t>(row.name.size()), row.is_pattern()};
  if (std::fwrite(&head, sizeof head, 1, file_.get()) != 1 ||
      std::fwrite(row.name.data(), 1, row.name.size(), file_.get()) != row.name.size())
    fail();
  size_ += static_cast<Mark>(sizeof head + row.name.size());
}

void RowSpool::cut(Mark mark) {
  if (mark == size_) return;
  if (std::fflush(file_.get()) != 0 || ::ftruncate(::fileno(file_.get()), mark) != 0 ||
      ::fseeko(file_.get(), mark, SEEK_SET) != 0)
    fail();
  size_ = mark;
}

void RowSpool::write_to(ImportRows& rows) {
  if (std::fflush(file_.get()) != 0 || ::fseeko(file_.get(), 0, SEEK_SET) != 0) fail();
  std::string name;
  Head head{};
  for (Mark read = 0; read < size_; read += static_cast<Mark>(sizeof head + name.size())) {
    if (std::fread(&head, sizeof head, 1, file_.get()) != 1) fail();
    name.resize(head.name_bytes);
    if (std::fread(name.data(), 1, name.size(), file_.get()) != name.size()) fail();
    ImportRow row{.id = head.id, .name = name};
    if (!head.is_pattern) row.pattern_id = head.pattern_id;
    rows.add(row);
  }
  if (::fseeko(file_.get(), size_, SEEK_SET) != 0) fail();
}

void RowSpool::fail() const {
  throw Error(errc::unavailable, directory_ + ": the rows cannot be kept there until they are written: " +
                                     std::generic_category().message(errno) + "; set TMPDIR to another directory");
}

}  // namespace deployd::storage
