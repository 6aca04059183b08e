// What a client has sent and nobody has used yet.
#pragma once

#include <boost/asio/buffer.hpp>

#include <array>
#include <cstddef>
#include <memory>
#include <string_view>

#include "server/http/spare_parts.hpp"

namespace deployd::server {

/// Received bytes in the order in which they came. Small ones have room here; for a longer head a buffer is borrowed,
/// and given back as soon as it is empty.
class InputBuffer {
 public:
  using Buffers = SpareParts<char[]>;

  /// `buffers` lends the large ones and must outlive this.
  explicit InputBuffer(Buffers& buffers) noexcept : buffers_(buffers) {}
  ~InputBuffer() { release(); }
  InputBuffer(InputBuffer const&) = delete;
  InputBuffer& operator=(InputBuffer const&) = delete;

  /// Valid until the next call of `room`.
  std::string_view unread() const noexcept { return {bytes_ + begin_, end_ - begin_}; }
  bool empty() const noexcept { return begin_ == end_; }

  /// Where to receive to; empty when there is no more room, which the limits for heads rule out. Throws
  /// std::bad_alloc.
  boost::asio::mutable_buffer room();

  /// Of these bytes of `room` something has been made.
  void received(std::size_t bytes) noexcept { end_ += bytes; }

  void consume(std::size_t bytes) noexcept;

  /// `unread` holds no whole head.
  void note_incomplete() noexcept { parsed_at_ = end_ - begin_; }

  /// True when `unread` may hold a whole head: when it is new, and after `note_incomplete` when the end of a head has
  /// arrived or it has doubled, so that a client that sends byte by byte does not make us parse as often.
  bool worth_parsing() noexcept;

  /// Gives a borrowed buffer back. Must be empty.
  void release() noexcept;

 private:
  Buffers& buffers_;
  std::unique_ptr<char[]> large_;
  std::size_t begin_ = 0;  // unread: [begin_, end_) of bytes_, which is small_ or large_
  std::size_t end_ = 0;
  std::size_t parsed_at_ = 0;    // the size of `unread` when it was last found incomplete
  std::size_t searched_to_ = 0;  // up to where it has been searched for the end of a head since
  std::array<char, 1024> small_;
  char* bytes_ = small_.data();
  std::size_t capacity_ = small_.size();
};

}  // namespace deployd::server
