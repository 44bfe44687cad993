// A vector whose first kFew items stand in the object itself: where most have no more, reading one
// costs no jump to other memory.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

namespace rehearse {

template <class T, std::size_t kFew>
class InlineVector {
 public:
  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  T* begin() { return more_.empty() ? few_.data() : more_.data(); }
  const T* begin() const { return more_.empty() ? few_.data() : more_.data(); }
  T* end() { return begin() + size_; }
  const T* end() const { return begin() + size_; }
  T& operator[](std::size_t at) { return begin()[at]; }
  const T& operator[](std::size_t at) const { return begin()[at]; }
  T& back() { return begin()[size_ - 1]; }

  void push_back(const T& item) {
    resize(size_ + 1);
    back() = item;
  }
  // REQUIRES: not empty.
  void pop_back() { --size_; }
  // New items beyond the first kFew are T(); the others are as they were left.
  void resize(std::size_t size) {
    if (size > kFew && more_.empty()) {
      more_.reserve(2 * kFew);
      more_.assign(few_.begin(), few_.end());
    }
    if (size > more_.size() && !more_.empty()) more_.resize(size);
    size_ = size;
  }

 private:
  std::size_t size_ = 0;
  std::array<T, kFew> few_{};
  std::vector<T> more_;  // all of them, once there have been more than kFew
};

}  // namespace rehearse
