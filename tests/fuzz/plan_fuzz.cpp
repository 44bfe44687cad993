// A plan, the files it names being there, up to what it means for its model on 24 GPUs.
#include "fuzz/fuzzed.hpp"
#include "input/input.hpp"
#include "layout/layout.hpp"
#include "layout/request_lengths.hpp"
#include "routing/token_routing.hpp"

namespace rehearse {
namespace {

constexpr int kGpus = 24;

constexpr char kModel[] = R"(
  name: "small" layers: 4 hidden: 64 vocab: 256 weight_dtype: "bf16"
  attention { heads: 8 kv_heads: 4 head_dim: 8 }
  moe { experts: 16 top_k: 2 expert { width: 32 gated: true } }
)";

// Beside the plan: what its relative paths may name.
void write_neighbours() {
  static const bool written = [] {
    const auto write = [](const char* name, const std::string& text) {
      fuzz::write_scratch(name, reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
    };
    write("m", kModel);
    write("p", "<platform/>");
    write("t", "layer,expert,share\n0,0,1\n");
    write("l", "100\n200\n");
    write("c", "claim { id: \"a\" line: 1 quote: \"x\" expect: \"1 < 2\" }");
    return true;
  }();
  (void)written;
}

void read(const std::string& path) {
  write_neighbours();
  PlanRequest request;
  request.path = path;
  const Plan plan = read_plan(request);
  const Model model = read_model(plan.model_path, plan.model_sets);
  check_layout(plan, model, kGpus, plan.platform_path);
  check_routing(plan, model);
  prompt_tokens(plan);
}

}  // namespace
}  // namespace rehearse

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  rehearse::fuzz::read_or_refuse(rehearse::read,
                                 rehearse::fuzz::write_scratch("plan.textproto", bytes, size));
  return 0;
}
