// A record of accepted verdicts.
#include "fuzz/fuzzed.hpp"
#include "input/input.hpp"

namespace rehearse {
namespace {

void read(const std::string& path) { read_expected(path); }

}  // namespace
}  // namespace rehearse

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  rehearse::fuzz::read_or_refuse(rehearse::read,
                                 rehearse::fuzz::write_scratch("expected.json", bytes, size));
  return 0;
}
