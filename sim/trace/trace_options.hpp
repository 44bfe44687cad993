// What of a run goes into its trace file.
#pragma once

#include <limits>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/output_file.hpp"
#include "base/units.hpp"
#include "program/program.hpp"

namespace rehearse {

struct RankRange {
  Rank first = 0;
  Rank last = 0;         // included
  SourceLocation where;  // in the option as typed: whether the ranks exist is known only later
};

struct TraceWindow {
  Seconds begin{0};
  Seconds end{std::numeric_limits<double>::infinity()};
};

struct TraceOptions {
  std::string path;   // of the .json.gz
  std::string title;  // the trace's name for the reader
  // Empty: all; where one replica was simulated for others that are alike, that one's.
  std::vector<RankRange> ranks;
  OutputFiles* together = nullptr;  // files with which the finished one appears; else by itself
  TraceWindow window;  // what lies wholly outside is left out; what overlaps is not cut
};

// The values of --trace-ranks ("0-7,16") and --trace-window ("0s..2s": begin < end). What is wrong
// with the text is an InputError located in the option as typed, "--trace-ranks 0-7,x:1:19".
std::vector<RankRange> parse_trace_ranks(const std::string& text);
TraceWindow parse_trace_window(const std::string& text);

}  // namespace rehearse
