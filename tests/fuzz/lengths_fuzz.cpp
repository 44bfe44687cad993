// A list of prompt lengths.
#include "fuzz/fuzzed.hpp"
#include "input/measured_lists.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace rehearse;
  fuzz::understood_or_refused([&] {
    parse_prompt_lengths(source_of("lengths.txt", fuzz::text_of(bytes, size), "lengths"));
  });
  return 0;
}
