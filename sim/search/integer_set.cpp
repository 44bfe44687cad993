#include "search/integer_set.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/split.hpp"

namespace rehearse {
namespace {

bool parse_whole(const std::string& text, int& number) {
  const char* end = text.data() + text.size();
  const auto [rest, failure] = std::from_chars(text.data(), end, number);
  return failure == std::errc{} && rest == end;
}

}  // namespace

bool IntegerSet::contains(int number) const {
  return std::any_of(ranges_.begin(), ranges_.end(), [&](const auto& range) {
    return range.first <= number && number <= range.second;
  });
}

IntegerSet IntegerSet::up_to(int most) const {
  IntegerSet set;
  for (const auto& [first, last] : ranges_) {
    if (first <= most) set.ranges_.emplace_back(first, std::min(last, most));
  }
  return set;
}

std::vector<int> IntegerSet::members() const {
  std::vector<int> all;
  for (const auto& [first, last] : ranges_) {
    for (long number = first; number <= last; ++number) all.push_back(static_cast<int>(number));
  }
  return all;
}

IntegerSet parse_integer_set(const std::string& text, const SourceLocation& where, int least) {
  const auto refuse = [&](const std::string& rule) {
    throw InputError(where, fmt::format("\"{}\": {}", text, rule));
  };
  IntegerSet set;
  for (const std::string& item : split(text, ',')) {
    const std::size_t dots = item.find("..");
    int first = 0;
    int last = 0;
    const bool is_range = dots != std::string::npos;
    if (!parse_whole(item.substr(0, dots), first) ||
        !parse_whole(is_range ? item.substr(dots + 2) : item, last)) {
      refuse("must be whole numbers and ranges: 1,2,4 or 16..40");
    }
    if (first > last) refuse(fmt::format("the range {} is backwards", item));
    if (first < least) refuse(fmt::format("must be at least {}", least));
    set.ranges_.emplace_back(first, last);
  }
  std::sort(set.ranges_.begin(), set.ranges_.end());
  std::vector<std::pair<int, int>> disjoint;
  for (const auto& range : set.ranges_) {
    if (!disjoint.empty() && range.first <= disjoint.back().second) {
      disjoint.back().second = std::max(disjoint.back().second, range.second);
    } else {
      disjoint.push_back(range);
    }
  }
  set.ranges_ = disjoint;
  return set;
}

}  // namespace rehearse
