// A model as textproto, up to its parameters.
#include "fuzz/fuzzed.hpp"
#include "input/input.hpp"

namespace rehearse {
namespace {

void read(const std::string& path) { count_parameters(read_model(path)); }

}  // namespace
}  // namespace rehearse

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  rehearse::fuzz::read_or_refuse(rehearse::read,
                                 rehearse::fuzz::write_scratch("model.textproto", bytes, size));
  return 0;
}
