// Requests of a trace, in the formats in which traces are published. Adding one: a file here and a
// line in table.cpp.
#pragma once

#include <string>
#include <vector>

#include "input/source_text.hpp"
#include "plan/plan.hpp"

namespace rehearse {

struct RequestTrace {
  const char* format = "";        // "mooncake"
  std::vector<Request> requests;  // in order of arrival; at least one
  // Tokens of a block of Request::blocks; 0: the trace says nothing of shared prefixes.
  int block_tokens = 0;
  long failed = 0;  // lines of requests that got no token, which are left out
};

// Which format it is, its first line says. Throws InputError at what is wrong, where requests do
// not stand in order of arrival, and where there are none.
RequestTrace read_request_trace(const std::string& path);
RequestTrace parse_request_trace(const SourceText& source);

// "plain (arrival_s,prompt_tokens,output_tokens), azure (TIMESTAMP,...), ..."
std::string names_of_trace_formats();

}  // namespace rehearse
