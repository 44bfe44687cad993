// What a model's products are made in on the GPUs of a plan, where its file leaves that to them.
#pragma once

#include <vector>

#include "model/model.hpp"
#include "platform/platform.hpp"

namespace rehearse {

// Weights in MXFP4 (4 bits, a scale for 32 inputs) that the model's file unpacks to 16 bits are
// multiplied with MXFP8 where all `devices` have a row of such experts: GPUs with units for 4 bits,
// where TensorRT-LLM (W4A8_MXFP4_MXFP8) and SGLang run them so unless told otherwise, and vLLM as
// its recipe asks for. A note of the model says it.
void use_native_arithmetic(Model& model, const std::vector<const Device*>& devices);

}  // namespace rehearse
