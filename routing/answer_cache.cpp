#include "routing/answer_cache.hpp"

#include <xxhash.h>

#include <random>

namespace deployd::routing {
namespace {

// In addition to the bytes themselves: the slot, the index entry, the control block and the allocator's own overhead.
constexpr std::size_t overhead = 256;

std::uint64_t random_seed() {
  std::random_device device;
  return (std::uint64_t{device()} << 32) | device();
}

}  // namespace

AnswerCache::AnswerCache(std::size_t capacity) : capacity_(capacity), index_(0, Hash{random_seed()}) {}

std::size_t AnswerCache::Hash::operator()(std::string_view key) const noexcept {
  return XXH3_64bits_withSeed(key.data(), key.size(), seed);
}

std::size_t AnswerCache::cost(Slot const& slot) noexcept {
  return overhead + slot.key.capacity() + slot.answer->bytes.capacity();
}

/// Returns the target itself for the form that most clients get. Targets contain no line ends.
[[gnu::always_inline]] inline std::string_view AnswerCache::key_of(std::string_view target, Form const& form) {
  if (form.format == Format::json && form.coding == Coding::identity) [[likely]]
    return target;
  key_ = target;
  key_ += '\n';
  key_ += static_cast<char>('0' + static_cast<char>(form.format));
  key_ += static_cast<char>('0' + static_cast<char>(form.coding));
  return key_;
}

// Inlined for the warm path, which has one call.
[[gnu::always_inline]] inline AnswerCache::Slot* AnswerCache::find_slot(std::string_view key,
                                                                        std::uint64_t data_version) noexcept {
  auto const found = index_.find(key);
  if (found == index_.end()) return nullptr;
  auto& slot = *slots_[found->second];
  return slot.data_version == data_version ? &slot : nullptr;
}

/// Finds a response that does not gain by the wanted coding.
AnswerCache::Slot* AnswerCache::find_short(std::string_view target, WantedForm wanted, std::uint64_t data_version) {
  if (wanted.coding == Coding::identity || wanted.identity_refused) return nullptr;
  auto* const slot = find_slot(key_of(target, {.format = wanted.format}), data_version);
  return slot != nullptr && !slot->answer->gains_by_coding ? slot : nullptr;
}

std::shared_ptr<RenderedAnswer const> const* AnswerCache::find(std::string_view target, WantedForm wanted,
                                                               std::uint64_t data_version) {
  auto* slot = find_slot(key_of(target, wanted), data_version);
  if (slot == nullptr) [[unlikely]] {
    slot = find_short(target, wanted, data_version);
    if (slot == nullptr) {
      metrics_.misses.add();
      return nullptr;
    }
  }
  slot->used_again = true;
  metrics_.hits.add();
  return &slot->answer;
}

void AnswerCache::keep(std::string_view target, Form form, std::uint64_t data_version,
                       std::shared_ptr<RenderedAnswer const> answer) {
  auto const key = key_of(target, form);
  if (overhead + key.size() + answer->bytes.capacity() > capacity_ / 8) return;
  if (auto const stale = index_.find(key); stale != index_.end()) release(stale->second);
  auto const index = free_slot();
  auto& slot = *slots_[index];
  slot.key = key;
  slot.answer = std::move(answer);
  slot.data_version = data_version;
  slot.used_again = false;
  used_ += cost(slot);
  index_.emplace(slot.key, index);
  while (used_ > capacity_) {
    evict_one(data_version);
    metrics_.evictions.add();
  }
  publish_size();
}

void AnswerCache::publish_size() noexcept {
  metrics_.entries.set(index_.size());
  metrics_.bytes.set(used_);
}

std::uint32_t AnswerCache::free_slot() {
  if (free_.empty()) {
    slots_.push_back(std::make_unique<Slot>());
    free_.reserve(slots_.size());  // so that `release` never allocates
    return static_cast<std::uint32_t>(slots_.size() - 1);
  }
  auto const index = free_.back();
  free_.pop_back();
  return index;
}

void AnswerCache::release(std::uint32_t index) noexcept {
  auto& slot = *slots_[index];
  used_ -= cost(slot);
  index_.erase(slot.key);
  slot.answer.reset();
  slot.key = std::string();
  free_.push_back(index);
}

void AnswerCache::evict_one(std::uint64_t data_version) noexcept {
  while (true) {
    hand_ = (hand_ + 1) % static_cast<std::uint32_t>(slots_.size());
    auto& slot = *slots_[hand_];
    if (!slot.answer) continue;
    if (slot.data_version != data_version || !slot.used_again) return release(hand_);
    slot.used_again = false;
  }
}

}  // namespace deployd::routing
