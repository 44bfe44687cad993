// A plan, up to what it means for a small model on 24 GPUs.
#include "fuzz/fuzzed.hpp"
#include "input/input.hpp"
#include "input/source_text.hpp"
#include "layout/layout.hpp"
#include "layout/request_lengths.hpp"
#include "routing/token_routing.hpp"

namespace rehearse {
namespace {

constexpr int kGpus = 24;

constexpr char kModel[] = R"(
  name: "small" layers: 4 hidden: 64 vocab: 256 weight_dtype: bf16
  attention { heads: 8 kv_heads: 4 head_dim: 8 }
  moe { experts: 16 top_k: 2 expert { width: 32 gated: true } }
)";

void read(const std::string& text) {
  const Plan plan = parse_plan(source_of("plan.textproto", text, "a plan"));
  const Model model = parse_model(source_of("model.textproto", kModel, "a model"), plan.model_sets);
  check_layout(plan, model, kGpus, "platform.xml");
  check_routing(plan, model);
  prompt_tokens(plan);
}

}  // namespace
}  // namespace rehearse

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace rehearse;
  fuzz::understood_or_refused([&] { read(fuzz::text_of(bytes, size)); });
  return 0;
}
