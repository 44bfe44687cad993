// What a model's products are made in on the GPUs of a plan, where its file leaves that to them.
#pragma once

#include <vector>

#include "model/model.hpp"
#include "platform/platform.hpp"

namespace rehearse {

// Weights in MXFP4 (4 bits, a scale for 32 inputs) that the model's file unpacks to 16 bits are
// multiplied with MXFP8 where all `devices` have a row of such experts: GPUs with units for 4 bits.
// TensorRT-LLM does so there by itself (ModelConfig.get_mxfp4_quant_algo: W4A8_MXFP4_MXFP8), SGLang
// unless --flashinfer-mxfp4-moe-precision is bf16, vLLM where VLLM_USE_FLASHINFER_MOE_MXFP4_MXFP8
// is set. A note of the model says it.
void use_native_arithmetic(Model& model, const std::vector<const Device*>& devices);

std::vector<const Device*> devices_of(const Platform& platform);

}  // namespace rehearse
