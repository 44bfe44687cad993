// A record of accepted verdicts.
#include "fuzz/fuzzed.hpp"
#include "input/input.hpp"
#include "input/source_text.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace rehearse;
  fuzz::understood_or_refused(
      [&] { parse_expected(source_of("expected.json", fuzz::text_of(bytes, size), "a record")); });
  return 0;
}
