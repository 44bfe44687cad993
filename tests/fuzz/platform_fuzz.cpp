// A platform file, up to where SimGrid would load it.
#include "cluster_xml/check_platform_xml.hpp"
#include "fuzz/fuzzed.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace rehearse;
  fuzz::understood_or_refused(
      [&] { cost_per_gpu(check_platform_text(fuzz::text_of(bytes, size), "platform.xml")); });
  return 0;
}
