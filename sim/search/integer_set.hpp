// Sets of whole numbers as users write them: "16..40", "1,2,4", "1..4,8".
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"

namespace rehearse {

class IntegerSet {
 public:
  IntegerSet() = default;
  // FIRST..LAST.
  IntegerSet(int first, int last) : ranges_{{first, last}} {}

  bool contains(int number) const;
  bool empty() const { return ranges_.empty(); }
  int least() const { return ranges_.front().first; }  // REQUIRES: not empty
  int most() const { return ranges_.back().second; }
  // One of them has been added; REQUIRES: below the others.
  void add_least(int number) { ranges_.insert(ranges_.begin(), {number, number}); }
  // Its members up to `most`.
  IntegerSet up_to(int most) const;
  // Members, ascending. Only for sets that are known to be small.
  std::vector<int> members() const;

 private:
  friend IntegerSet parse_integer_set(const std::string&, const SourceLocation&, int);
  std::vector<std::pair<int, int>> ranges_;  // ascending, disjoint
};

// Throws InputError at `where`: not such a set, or a member below `least`.
IntegerSet parse_integer_set(const std::string& text, const SourceLocation& where, int least);

}  // namespace rehearse
