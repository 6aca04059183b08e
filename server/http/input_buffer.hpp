// Bytes that were received from a client and not used yet.
#pragma once

#include <boost/asio/buffer.hpp>

#include <array>
#include <cstddef>
#include <memory>
#include <string_view>

#include "server/http/spare_parts.hpp"

namespace deployd::server {

/// Received bytes in order. A few bytes fit into this object; for a longer head a buffer is borrowed and returned as
/// soon as it is empty.
class InputBuffer {
 public:
  using Buffers = SpareParts<char[]>;

  /// `buffers` provides the large buffers and must outlive this object.
  explicit InputBuffer(Buffers& buffers) noexcept : buffers_(buffers) {}
  ~InputBuffer() { release(); }
  InputBuffer(InputBuffer const&) = delete;
  InputBuffer& operator=(InputBuffer const&) = delete;

  /// The unread bytes. Valid until the next call of `room`.
  std::string_view unread() const noexcept { return {bytes_ + begin_, end_ - begin_}; }
  bool empty() const noexcept { return begin_ == end_; }

  /// Returns where to receive to; empty if there is no more room, which the limits for heads prevent. Throws
  /// std::bad_alloc.
  boost::asio::mutable_buffer room();

  /// Records that `bytes` bytes were received into `room`.
  void received(std::size_t bytes) noexcept { end_ += bytes; }

  void consume(std::size_t bytes) noexcept;

  /// Records that `unread` does not contain a complete head.
  void note_incomplete() noexcept { parsed_at_ = end_ - begin_; }

  /// True if `unread` may contain a complete head: if it is new, and after `note_incomplete` if the end of a head has
  /// arrived or its size has doubled. A client that sends byte by byte therefore does not cause a parse per byte.
  bool worth_parsing() noexcept;

  /// Returns a borrowed buffer. The input buffer must be empty.
  void release() noexcept;

 private:
  Buffers& buffers_;
  std::unique_ptr<char[]> large_;
  std::size_t begin_ = 0;  // unread bytes: [begin_, end_) of bytes_, which is small_ or large_
  std::size_t end_ = 0;
  std::size_t parsed_at_ = 0;    // the size of `unread` when it was last incomplete
  std::size_t searched_to_ = 0;  // how far it has been searched for the end of a head since
  std::array<char, 1024> small_;
  char* bytes_ = small_.data();
  std::size_t capacity_ = small_.size();
};

}  // namespace deployd::server
