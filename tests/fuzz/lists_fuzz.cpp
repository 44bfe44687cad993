// Measured lists: a table of expert loads, lengths of prompts, requests. Every text is tried as
// each.
#include "fuzz/fuzzed.hpp"
#include "input/measured_lists.hpp"
#include "input/traces/request_trace.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace rehearse;
  const std::string text = fuzz::text_of(bytes, size);
  fuzz::understood_or_refused([&] { parse_load_table(source_of("loads.csv", text, "loads")); });
  fuzz::understood_or_refused(
      [&] { parse_prompt_lengths(source_of("lengths.txt", text, "lengths")); });
  fuzz::understood_or_refused(
      [&] { parse_request_trace(source_of("requests.csv", text, "requests")); });
  return 0;
}
