// What kernels reach on a GPU, as device files and platform files say it: a row per kind of
// operator and of numbers, a number per name.
#pragma once

#include <cstddef>
#include <iterator>

#include "platform/cost_rows.hpp"
#include "platform/platform.hpp"

namespace rehearse {

// KIND, or KIND.TYPE where it multiplies weights. A row that is not there is that of 16 bits, or of
// the kind before it (cost/device_rates.hpp).
inline constexpr CostRow kOperatorRows[] = {
    {"gemm.bf16", "matrix products in 16 bits"},
    {"gemm.fp8", "in FP8, a scale for a tensor, found as it goes"},
    {"gemm.fp8_static", "in FP8, a scale for a tensor that is known before"},
    {"gemm.fp8_block", "in FP8, a scale for each block of 128"},
    {"gemm.int8", "in INT8"},
    {"gemm.int4", "weights of 4 bits, multiplied in 16"},
    {"gemm.nvfp4", "in NVFP4"},
    {"gemm.mxfp4", "weights in MXFP4, multiplied in 16 bits"},
    {"gemm.mxfp4_fp8", "weights in MXFP4, multiplied with MXFP8"},
    {"moe.bf16", "one of the two products of experts, in 16 bits"},
    {"moe.fp8", "in FP8, a scale for a tensor"},
    {"moe.fp8_static", "in FP8, a scale for a tensor that is known before"},
    {"moe.fp8_block", "in FP8, a scale for each block of 128"},
    {"moe.int8", "in INT8"},
    {"moe.int4", "weights of 4 bits, multiplied in 16"},
    {"moe.nvfp4", "in NVFP4"},
    {"moe.mxfp4", "weights in MXFP4, multiplied in 16 bits"},
    {"moe.mxfp4_fp8", "weights in MXFP4, multiplied with MXFP8"},
    {"attention_prefill", "scores of many queries a sequence"},
    {"attention_decode", "scores of one query a sequence"},
    {"mla_prefill", "of keys and values that were expanded from a latent"},
    {"mla_decode", "of the latent itself"},
    {"elementwise", "norms, activations, copies"},
    {"sampling", "the largest logit of each sequence"},
};
constexpr std::size_t kOperatorRowCount = std::size(kOperatorRows);

inline constexpr CostField<OperatorCosts> kOperatorFields[] = {
    {"launch", PlatformQuantity::kLaunch, "before anything is computed or moved",
     [](OperatorCosts& costs, double value) { costs.launch = {value}; }},
    {"compute", PlatformQuantity::kProtocolShare, "share of the peak",
     [](OperatorCosts& costs, double value) { costs.compute = value; }},
    {"memory", PlatformQuantity::kProtocolShare, "share of the memory's bandwidth",
     [](OperatorCosts& costs, double value) { costs.memory = value; }},
    {"depth", PlatformQuantity::kLaunch, "for each element of the sum that a product is",
     [](OperatorCosts& costs, double value) { costs.depth = {value}; }},
};
constexpr std::size_t kOperatorFieldCount = std::size(kOperatorFields);

inline constexpr CostTable<OperatorCosts> kOperatorTable = {kOperatorRows, kOperatorFields,
                                                            "no cost model"};

}  // namespace rehearse
