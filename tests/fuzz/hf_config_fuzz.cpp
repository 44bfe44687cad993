// A Hugging Face config.json, up to the parameters of its model.
#include "fuzz/fuzzed.hpp"
#include "input/input.hpp"
#include "input/source_text.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace rehearse;
  fuzz::understood_or_refused([&] {
    count_parameters(parse_model(source_of("config.json", fuzz::text_of(bytes, size), "a model")));
  });
  return 0;
}
