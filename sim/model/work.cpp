#include "model/work.hpp"

namespace rehearse {
namespace {

struct FlopsOf {
  Amount operator()(const Elementwise&) const { return {}; }
  Amount operator()(const Gemm& gemm) const { return {2 * gemm.m * gemm.n * gemm.k, 0}; }
  // QK^T over the keys' dimensions, AV over those of values.
  Amount operator()(const AttentionScores& scores) const {
    const double pair = 2 * scores.heads * (scores.key_dimensions + scores.value_dimensions);
    return {pair * scores.pairs.base, pair * scores.pairs.per_step};
  }
};

}  // namespace

Amount flops_of(const Work& work) { return std::visit(FlopsOf{}, work.shape); }

Work with_rows(Work work, double rows, double groups) {
  if (auto* gemm = std::get_if<Gemm>(&work.shape)) {
    gemm->m = rows;
    gemm->groups = groups;
  }
  return work;
}

}  // namespace rehearse
