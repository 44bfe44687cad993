// The requests of a trace.
#pragma once

#include <string>
#include <vector>

#include "input/source_text.hpp"
#include "plan/plan.hpp"

namespace rehearse {

// A CSV table (csv_table.hpp) with the columns arrival_s, prompt_tokens, output_tokens and possibly
// priority and hash_ids, which no engine uses and nobody reads: a request on each line, in order of
// arrival. Throws InputError at what is wrong, and where there are no requests.
std::vector<Request> read_request_trace(const std::string& path);
std::vector<Request> parse_request_trace(const SourceText& source);

}  // namespace rehearse
