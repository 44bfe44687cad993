// Measured numbers in text files: expert loads, lengths of requests.
#pragma once

#include <string>
#include <vector>

#include "input/source_text.hpp"
#include "plan/plan.hpp"

namespace rehearse {

// A CSV file whose first line names its columns: layer, expert, share, and possibly iteration, in
// any order; empty lines and lines that begin with # are skipped. Throws InputError for what is no
// number, a share below 0, a place given twice. Whether layers and experts exist and shares sum to
// 1 is the routing stage's question.
std::vector<LoadTableRow> read_load_table(const std::string& path);
std::vector<LoadTableRow> parse_load_table(const SourceText& source);

// A file with a whole number above 0 on each line; empty lines and lines that begin with # are
// skipped.
std::vector<int> read_prompt_lengths(const std::string& path);
std::vector<int> parse_prompt_lengths(const SourceText& source);

}  // namespace rehearse
