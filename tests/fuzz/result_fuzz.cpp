// A result.json, compared with itself and with another.
#include "compare/compare.hpp"
#include "fuzz/fuzzed.hpp"
#include "input/input.hpp"

namespace rehearse {
namespace {

void read(const std::string& path) {
  const std::optional<std::string> text = read_result(path);
  if (!text) return;
  const nlohmann::json result = nlohmann::json::parse(*text);
  const nlohmann::json other = {{"makespan_s", 1.5}, {"ttft_s", {{"mean", 1}, {"p50", "1"}}}};
  const std::vector<Tolerance> tolerances = {{"", 0.01, 0}};
  compare(result, result, tolerances);
  compare(result, other, tolerances);
  compare(other, result, tolerances);
}

}  // namespace
}  // namespace rehearse

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  rehearse::fuzz::read_or_refuse(rehearse::read,
                                 rehearse::fuzz::write_scratch("result.json", bytes, size));
  return 0;
}
