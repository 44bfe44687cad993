// A Hugging Face config.json as the message of workloads/schema/model.proto.
#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"
#include "input/source_text.hpp"
#include "proto/model.pb.h"

namespace rehearse {

struct HfModel {
  proto::Model model;
  std::vector<std::string> notes;  // what the config says that the model does not represent
};

// Reads the model types that are plain decoders with full multi-head or grouped-query attention:
// llama, mistral, mixtral, qwen3, qwen3_moe, deepseek (the first; not V2, V3). Whatever would make
// the numbers wrong (latent or sliding-window attention, an irregular mixture of MoE and dense
// layers ...) throws InputError at its key: a refusal beats a wrong number. Places
// every field of the model in `where`, at the key it comes from.
// `quantisation`: ModelOpt's hf_quant_config.json beside it, or nullptr.
HfModel read_hf_config(const SourceText& source, const SourceText* quantisation,
                       FieldLocations& where);

}  // namespace rehearse
