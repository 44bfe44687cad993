// A list of prompt lengths.
#include "fuzz/fuzzed.hpp"
#include "input/measured_lists.hpp"

namespace rehearse {
namespace {

void read(const std::string& path) { read_prompt_lengths(path); }

}  // namespace
}  // namespace rehearse

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  rehearse::fuzz::read_or_refuse(rehearse::read,
                                 rehearse::fuzz::write_scratch("lengths.txt", bytes, size));
  return 0;
}
