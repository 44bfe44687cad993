#include <fmt/format.h>

#include <array>

#include "model/attention/kinds.hpp"

namespace rehearse {
namespace {

// In the order of AttentionShapeOfKind.
constexpr std::array<const AttentionKind*, 9> kKinds = {&kGroupedQuery, &kBlockSparse, &kLatent,
                                                        &kCompressed,   &kGatedDelta,  &kKimiDelta,
                                                        &kLightning,    &kMamba2,      &kMamba};
static_assert(std::variant_size_v<AttentionShapeOfKind> == kKinds.size());

}  // namespace

std::span<const AttentionKind* const> attention_kinds() { return kKinds; }

const AttentionKind& kind_of(const Attention& attention) { return *kKinds[attention.kind.index()]; }

std::string name_of(const Attention& attention) {
  if (!attention.name.empty()) return attention.name;
  if (!std::holds_alternative<GroupedQuery>(attention.kind)) return kind_of(attention).name;
  return attention.window > 0 ? "sliding" : attention.chunk > 0 ? "chunked" : "full";
}

Operator product_of(const Model& model, WeightPart part, int layer, const AttentionShape& shape,
                    int tensor) {
  return matrix_product(model, OperatorClass::kGemm, part, layer, tokens_of(shape.slices), tensor);
}

std::string refusal_unless_divides(int tensor, int count, const char* what) {
  if (count % tensor == 0) return {};
  return fmt::format("layout.tensor = {} does not divide the model's {} {}", tensor, count, what);
}

AttentionHeads attention_heads(const Model& model) {
  for (const LayerRun& run : layer_runs(model, 0, model.layers)) {
    if (run.kind.attention == LayerKind::kNone) continue;
    const Attention& attention = model.attention[run.kind.attention];
    return kind_of(attention).heads(attention);
  }
  return {};
}

}  // namespace rehearse
