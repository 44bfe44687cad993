// Measured lists: a table of expert loads, and lengths of prompts. Every text is tried as both.
#include "fuzz/fuzzed.hpp"
#include "input/measured_lists.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace rehearse;
  const std::string text = fuzz::text_of(bytes, size);
  fuzz::understood_or_refused([&] { parse_load_table(source_of("loads.csv", text, "loads")); });
  fuzz::understood_or_refused(
      [&] { parse_prompt_lengths(source_of("lengths.txt", text, "lengths")); });
  return 0;
}
