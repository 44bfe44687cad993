#include "trace/trace_options.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cstddef>
#include <stdexcept>
#include <string_view>

namespace rehearse {
namespace {

// The option as typed, and places in its value.
class OptionText {
 public:
  OptionText(const char* option, const std::string& value)
      : typed_(fmt::format("{} {}", option, value)), value_begin_(typed_.size() - value.size()) {}
  SourceLocation at(std::size_t offset_in_value) const {
    return {typed_, 1, static_cast<int>(value_begin_ + offset_in_value) + 1};
  }

 private:
  std::string typed_;
  std::size_t value_begin_;
};

Rank parse_rank(std::string_view text, const SourceLocation& where) {
  Rank rank = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), rank);
  if (error != std::errc{} || end != text.data() + text.size() || rank < 0) {
    throw InputError(where, fmt::format("\"{}\" is not a rank: ranks are given as 0-7,16", text));
  }
  return rank;
}

RankRange parse_range(std::string_view text, const OptionText& option, std::size_t offset) {
  RankRange range;
  range.where = option.at(offset);
  const std::size_t dash = text.find('-');
  range.first = parse_rank(text.substr(0, dash), range.where);
  range.last = range.first;
  if (dash != std::string_view::npos) {
    range.last = parse_rank(text.substr(dash + 1), option.at(offset + dash + 1));
  }
  if (range.last < range.first) {
    throw InputError(range.where, fmt::format("{} is an empty range: its last rank is before its "
                                              "first",
                                              text));
  }
  return range;
}

Seconds parse_time(const std::string& text, const SourceLocation& where) {
  try {
    return parse_seconds(text);
  } catch (const std::invalid_argument& wrong) {
    throw InputError(where, wrong.what());
  }
}

}  // namespace

std::vector<RankRange> parse_trace_ranks(const std::string& text) {
  const OptionText option("--trace-ranks", text);
  std::vector<RankRange> ranges;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    ranges.push_back(parse_range(std::string_view(text).substr(begin, end - begin), option, begin));
    begin = end + 1;
  }
  return ranges;
}

TraceWindow parse_trace_window(const std::string& text) {
  const OptionText option("--trace-window", text);
  const std::size_t dots = text.find("..");
  if (dots == std::string::npos) {
    throw InputError(option.at(0),
                     fmt::format("\"{}\" is not a window: it is given as 0s..2s", text));
  }
  const TraceWindow window = {parse_time(text.substr(0, dots), option.at(0)),
                              parse_time(text.substr(dots + 2), option.at(dots + 2))};
  if (window.end <= window.begin) {
    throw InputError(option.at(0),
                     fmt::format("{} is an empty window: its end is not after its begin", text));
  }
  return window;
}

}  // namespace rehearse
