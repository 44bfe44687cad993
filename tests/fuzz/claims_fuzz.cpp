// A claims file, with the expressions in it.
#include "fuzz/fuzzed.hpp"
#include "input/input.hpp"
#include "input/source_text.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace rehearse;
  fuzz::understood_or_refused(
      [&] { parse_claims(source_of("claims.textproto", fuzz::text_of(bytes, size), "claims")); });
  return 0;
}
