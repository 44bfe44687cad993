// One line for each quantisation method.
#pragma once

#include "input/quantisation_methods/method_reader.hpp"

namespace rehearse {

QuantisationMethod read_fp8(MethodReader& reader);
QuantisationMethod read_fbgemm_fp8(MethodReader& reader);
QuantisationMethod read_gptq(MethodReader& reader);
QuantisationMethod read_awq(MethodReader& reader);
QuantisationMethod read_bitsandbytes(MethodReader& reader);
QuantisationMethod read_mxfp4(MethodReader& reader);
// The modules of quantized_layers, each with its algorithm, as targets.
void add_quantized_layers(MethodReader& reader);
QuantisationMethod read_modelopt(MethodReader& reader);
QuantisationMethod read_compressed_tensors(MethodReader& reader);

}  // namespace rehearse
