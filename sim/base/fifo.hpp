// A queue in one piece of memory, none while it is empty and has never been used: a std::deque has
// 600 bytes from the beginning, which ranks by the thousand feel.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace rehearse {

template <class T>
class Fifo {
 public:
  bool empty() const { return first_ == items_.size(); }
  std::size_t size() const { return items_.size() - first_; }
  T& operator[](std::size_t at) { return items_[first_ + at]; }
  T& front() { return items_[first_]; }
  const T& front() const { return items_[first_]; }
  T* begin() { return items_.data() + first_; }
  T* end() { return items_.data() + items_.size(); }
  const T* begin() const { return items_.data() + first_; }
  const T* end() const { return items_.data() + items_.size(); }

  void push_back(T item) { items_.push_back(std::move(item)); }
  T& emplace_back() { return items_.emplace_back(); }
  void pop_front() {
    if (++first_ == items_.size()) {
      items_.clear();
      first_ = 0;
    } else if (first_ > kMostGone && 2 * first_ > items_.size()) {
      items_.erase(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(first_));
      first_ = 0;
    }
  }

 private:
  static constexpr std::size_t kMostGone = 16;
  std::vector<T> items_;
  std::size_t first_ = 0;
};

}  // namespace rehearse
