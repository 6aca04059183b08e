#include "server/http/input_buffer.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace deployd::server {

boost::asio::mutable_buffer InputBuffer::room() {
  if (begin_ != 0) {
    std::memmove(bytes_, bytes_ + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (end_ == capacity_ && !large_) {
    large_ = buffers_.borrow();
    std::memcpy(large_.get(), bytes_, end_);
    bytes_ = large_.get();
    capacity_ = buffers_.size();
  }
  return {bytes_ + end_, capacity_ - end_};
}

void InputBuffer::consume(std::size_t bytes) noexcept {
  begin_ += bytes;
  parsed_at_ = searched_to_ = 0;
  if (begin_ == end_) begin_ = end_ = 0;
}

bool InputBuffer::worth_parsing() noexcept {
  auto const bytes = unread();
  if (bytes.empty()) return false;
  if (parsed_at_ == 0 || bytes.size() >= 2 * parsed_at_ || bytes.size() + 1 >= buffers_.size()) return true;
  auto const searched = std::max(parsed_at_, std::exchange(searched_to_, bytes.size()));
  auto const from = searched - std::min<std::size_t>(searched, 3);
  return bytes.find("\r\n\r\n", from) != std::string_view::npos;
}

void InputBuffer::release() noexcept {
  if (!large_) return;
  bytes_ = small_.data();
  capacity_ = small_.size();
  begin_ = end_ = 0;
  buffers_.give_back(std::move(large_));
}

}  // namespace deployd::server
