// What the tokens of a request are, as spans that are compared as a whole: two requests whose spans
// have had equal ids up to a place have the same tokens up to there.
#pragma once

#include <cstdint>
#include <vector>

#include "serving/request.hpp"

namespace rehearse::serving {

struct Span {
  std::uint64_t id = 0;
  int tokens = 0;
};

// Its first `tokens` tokens, rounded down to whole pages; no page is in two spans.
std::vector<Span> content_of(const Offered& offered, int request, int tokens, int page);

}  // namespace rehearse::serving
