#include "input/request_trace.hpp"

#include <fmt/format.h>

#include <array>

#include "base/limits.hpp"
#include "input/csv_table.hpp"

namespace rehearse {
namespace {

constexpr std::array<CsvColumn, 5> kTraceColumns = {{{"arrival_s"},
                                                     {"prompt_tokens"},
                                                     {"output_tokens"},
                                                     {"priority", false},
                                                     {"hash_ids", false}}};
enum TraceColumn { kArrival, kPrompt, kOutput };

// Seconds since 1970 have room; a double has their microseconds.
constexpr double kLatestArrival = 1e10;

int tokens_of(const CsvTable& table, int column) {
  const int tokens = table.integer(column);
  if (tokens >= 1 && tokens <= kMostTokens) return tokens;
  throw InputError(table.cell(column).where,
                   fmt::format("{} = {}: must be at {}", kTraceColumns[column].name, tokens,
                               tokens < 1 ? "least 1" : fmt::format("most {}", kMostTokens)));
}

Seconds arrival_of(const CsvTable& table, const std::vector<Request>& before) {
  const Seconds arrival{table.number(kArrival)};
  const SourceLocation& where = table.cell(kArrival).where;
  if (arrival.value > kLatestArrival) {
    throw InputError(
        where, fmt::format("arrival_s = {}: must be at most {}", arrival.value, kLatestArrival));
  }
  if (!before.empty() && arrival < before.back().in_trace) {
    throw InputError(where, fmt::format("arrival_s = {}: the request before arrives at {}: "
                                        "requests stand in order of arrival",
                                        arrival.value, before.back().in_trace.value));
  }
  return arrival;
}

}  // namespace

std::vector<Request> read_request_trace(const std::string& path) {
  return parse_request_trace(read_source(path, "a request trace"));
}

std::vector<Request> parse_request_trace(const SourceText& source) {
  std::vector<Request> requests;
  for (CsvTable table(source, kTraceColumns); table.next();) {
    const Seconds arrival = arrival_of(table, requests);
    const Seconds first = requests.empty() ? arrival : requests.front().in_trace;
    requests.push_back(
        {arrival - first, tokens_of(table, kPrompt), tokens_of(table, kOutput), arrival});
  }
  if (requests.empty()) throw InputError(source.at(0), "the trace has no requests");
  return requests;
}

}  // namespace rehearse
