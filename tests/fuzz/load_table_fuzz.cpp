// A table of measured expert loads.
#include "fuzz/fuzzed.hpp"
#include "input/measured_lists.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace rehearse;
  fuzz::understood_or_refused(
      [&] { parse_load_table(source_of("loads.csv", fuzz::text_of(bytes, size), "loads")); });
  return 0;
}
