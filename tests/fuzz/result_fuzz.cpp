// What commands wrote and read back: a result.json, compared with itself and with another, either
// way round, and a record of accepted verdicts. Every text is tried as both.
#include "claims/expected.hpp"
#include "compare/compare.hpp"
#include "fuzz/fuzzed.hpp"
#include "input/input.hpp"
#include "input/source_text.hpp"
#include "metrics/result_json.hpp"

namespace rehearse {
namespace {

const nlohmann::json& skeleton() {
  static const nlohmann::json kSkeleton = nlohmann::json::parse(result_skeleton());
  return kSkeleton;
}

void compare_with_others(const std::string& text) {
  const nlohmann::json result = nlohmann::json::parse(text);
  const nlohmann::json other = {{"makespan_s", 1.5}, {"ttft_s", {{"mean", 1}, {"p50", 1}}}};
  const std::vector<Tolerance> tolerances = {{"", 0.01, 0}};
  compare(result, result, tolerances, skeleton());
  compare(result, other, tolerances, skeleton());
  compare(other, result, tolerances, skeleton());
}

}  // namespace
}  // namespace rehearse

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace rehearse;
  const std::string text = fuzz::text_of(bytes, size);
  fuzz::understood_or_refused([&] {
    const auto result = parse_result(source_of("result.json", text, "a result"), skeleton());
    if (result) compare_with_others(*result);
  });
  fuzz::understood_or_refused(
      [&] { parse_expected(source_of("expected.json", text, "a record")); });
  return 0;
}
