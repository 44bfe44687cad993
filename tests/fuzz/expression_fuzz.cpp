// The expression of a claim, up to its value for an imagined run.
#include <nlohmann/json.hpp>

#include "claims/evaluate.hpp"
#include "claims/expression.hpp"
#include "fuzz/fuzzed.hpp"

namespace rehearse {
namespace {

const nlohmann::json& imagined_run() {
  static const nlohmann::json kRun = nlohmann::json::parse(R"({
    "makespan_s": 2, "ttft_s": {"mean": 1, "max": 1.5}, "plan": "p",
    "memory": {"fits": true, "peak_bytes": 1e9, "by_category": [{"category": "weights", "bytes": 5e8}]},
    "ranks": [{"pipeline": 0, "weight_bytes": 1e8}, {"pipeline": 1, "weight_bytes": 2e8}],
    "groups": {"tp": [{"ranks": [0, 1]}]}, "layout": {"tensor": 2}})");
  return kRun;
}

void read(const std::string& text) {
  const Comparison comparison = parse_comparison(text, {"claims", 1, 1});
  check_quantities(comparison, imagined_run());
  evaluate(comparison, imagined_run());
}

}  // namespace
}  // namespace rehearse

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace rehearse;
  fuzz::understood_or_refused([&] { read(fuzz::text_of(bytes, size)); });
  return 0;
}
