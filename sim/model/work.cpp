#include "model/work.hpp"

namespace rehearse {
namespace {

struct FlopsOf {
  Amount operator()(const Elementwise&) const { return {}; }
  Amount operator()(const HostStep&) const { return {}; }
  Amount operator()(const StateScan& scan) const { return {scan.flops, 0}; }
  Amount operator()(const Gemm& gemm) const { return {2 * gemm.m * gemm.n * gemm.k, 0}; }
  Amount operator()(const AttentionScores& scores) const {
    const double pair = 2 * scores.heads *
                        (scores.key_products * scores.key_dimensions +
                         scores.value_products * scores.value_dimensions);
    return {pair * scores.pairs.base, pair * scores.pairs.per_step};
  }
};

}  // namespace

Amount flops_of(const Work& work) { return std::visit(FlopsOf{}, work.shape); }

Gemm input_gradient(const Gemm& forward) {
  return {forward.m, forward.k, forward.n, forward.groups};
}

Gemm weight_gradient(const Gemm& forward) {
  return {forward.k * forward.groups, forward.n, forward.m / forward.groups, forward.groups};
}

AttentionScores gradient(const AttentionScores& forward) {
  AttentionScores backward = forward;
  backward.key_products = 3;    // S, dQ, dK
  backward.value_products = 2;  // dP, dV
  return backward;
}

Work with_rows(Work work, double rows, double groups) {
  if (auto* gemm = std::get_if<Gemm>(&work.shape)) {
    gemm->m = rows;
    gemm->groups = groups;
  }
  return work;
}

}  // namespace rehearse
