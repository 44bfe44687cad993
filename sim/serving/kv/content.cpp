#include "serving/kv/content.hpp"

#include <algorithm>

#include "serving/kv/block_keys.hpp"

namespace rehearse::serving {
namespace {

std::vector<Span> as_described(const Offered& offered, int request, int tokens) {
  std::vector<Span> spans;
  int at = 0;
  for (const int known = std::min(offered.identified(), tokens); at < known;) {
    const int size = std::min(offered.id_tokens, known - at);
    spans.push_back({offered.prefix_ids[at / offered.id_tokens], size});
    at += size;
  }
  if (at < tokens) spans.push_back({own_content(request), tokens - at});
  return spans;
}

}  // namespace

std::vector<Span> content_of(const Offered& offered, int request, int tokens, int page) {
  const std::vector<Span> described = as_described(offered, request, tokens / page * page);
  std::vector<Span> spans;
  Span open;  // a page that has begun
  for (Span span : described) {
    if (open.tokens > 0) {
      const int taken = std::min(page - open.tokens, span.tokens);
      open.id = mixed(open.id ^ mixed(span.id + static_cast<std::uint64_t>(open.tokens)));
      open.tokens += taken;
      span.tokens -= taken;
      // What remains of the span is not where the span begins.
      if (taken > 0 && span.tokens > 0)
        span.id = mixed(span.id + static_cast<std::uint64_t>(taken));
      if (open.tokens < page) continue;
      spans.push_back(open);
      open = {};
    }
    const int whole = span.tokens / page * page;
    if (whole > 0) spans.push_back({span.id, whole});
    if (span.tokens > whole)
      open = {mixed(span.id + static_cast<std::uint64_t>(whole)), span.tokens - whole};
  }
  return spans;
}

}  // namespace rehearse::serving
