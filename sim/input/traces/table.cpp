// The first line tells the formats apart: the names of a table's columns, or the keys of a JSON
// object.
#include <fmt/format.h>

#include <array>
#include <cmath>

#include "base/limits.hpp"
#include "base/utf8.hpp"
#include "input/csv_table.hpp"
#include "input/traces/trace_format.hpp"

namespace rehearse {
namespace {

// The last one takes what no other does: its reader says what is wrong with it.
constexpr std::array kFormats = {&kAzureTrace, &kBurstGptTrace, &kMooncakeTrace, &kServingSimTrace,
                                 &kPlainTrace};

// Seconds since 1970 have room; a double has their microseconds.
constexpr double kLatestArrival = 1e10;

}  // namespace

int tokens_at(double tokens, const SourceLocation& where, const char* name) {
  if (tokens >= 1 && tokens <= kMostTokens && tokens == std::floor(tokens)) {
    return static_cast<int>(tokens);
  }
  throw InputError(where,
                   fmt::format("{} = {}: must be at {}", name, tokens,
                               tokens < 1 ? "least 1" : fmt::format("most {}", kMostTokens)));
}

void add_request(double date, const SourceLocation& where, const char* name, Request request,
                 RequestTrace& trace) {
  if (!(date >= 0 && date <= kLatestArrival)) {
    throw InputError(where, fmt::format("{} = {}: must be at most {}", name, date, kLatestArrival));
  }
  const std::vector<Request>& before = trace.requests;
  if (!before.empty() && date < before.back().in_trace.value) {
    throw InputError(where, fmt::format("{} = {}: the request before arrives at {}: requests stand "
                                        "in order of arrival",
                                        name, date, before.back().in_trace.value));
  }
  request.in_trace = Seconds{date};
  request.arrival = Seconds{before.empty() ? 0 : date - before.front().in_trace.value};
  trace.requests.push_back(std::move(request));
}

std::string names_of_trace_formats() {
  std::string names;
  for (const TraceFormat* const each : kFormats) {
    names += fmt::format("{}{} ({})", names.empty() ? "" : ", ", each->name, each->first_line);
  }
  return names;
}

RequestTrace read_request_trace(const std::string& path) {
  return parse_request_trace(read_source(path, "a request trace", kLargestTrace));
}

RequestTrace parse_request_trace(const SourceText& source) {
  CsvLines lines(source);
  const std::string first = lines.next() ? lines.line() : std::string();
  RequestTrace trace;
  for (const TraceFormat* const format : kFormats) {
    if (format != kFormats.back() && !format->is_of(first)) continue;
    trace.format = format->name;
    format->read(source, trace);
    break;
  }
  if (trace.requests.empty()) throw InputError(source.at(0), "the trace has no requests");
  return trace;
}

}  // namespace rehearse
