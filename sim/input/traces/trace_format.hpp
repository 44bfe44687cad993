// A format of traces: which texts are of it, and how one is read.
#pragma once

#include <string_view>

#include "input/traces/request_trace.hpp"

namespace rehearse {

struct TraceFormat {
  const char* name;
  const char* first_line;  // what it looks like
  // By a text's first line that is neither empty nor begins with #.
  bool (*is_of)(std::string_view first_line);
  void (*read)(const SourceText& source, RequestTrace& trace);
};

extern const TraceFormat kPlainTrace;
extern const TraceFormat kAzureTrace;
extern const TraceFormat kBurstGptTrace;
extern const TraceFormat kMooncakeTrace;
extern const TraceFormat kServingSimTrace;

// A number of tokens within its bounds; throws InputError at `where`.
int tokens_at(double tokens, const SourceLocation& where, const char* name);
// Adds a request that arrives at `date` of the trace; throws InputError at `where` for a date out
// of its bounds and for one before the last request's.
void add_request(double date, const SourceLocation& where, const char* name, Request request,
                 RequestTrace& trace);

}  // namespace rehearse
