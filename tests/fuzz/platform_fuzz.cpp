// A platform file, up to where SimGrid would load it.
#include "fuzz/fuzzed.hpp"
#include "platform/check_platform_xml.hpp"

namespace rehearse {
namespace {

void read(const std::string& path) { cost_per_gpu(check_platform_xml(path)); }

}  // namespace
}  // namespace rehearse

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  rehearse::fuzz::read_or_refuse(rehearse::read,
                                 rehearse::fuzz::write_scratch("platform.xml", bytes, size));
  return 0;
}
