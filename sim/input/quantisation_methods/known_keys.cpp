// The keys of quantisation statements, of all methods together: nothing in them changes bytes or
// arithmetic, or a method reads it. For a key that is not here the user is told that it is not
// used.
#include <algorithm>
#include <string_view>

#include "input/quantisation_methods/method_reader.hpp"

namespace rehearse {
namespace {

constexpr std::string_view kKnownKeys[] = {"quant_method",
                                           "moe_quant_algo",
                                           "weight_block_size",
                                           "activation_scheme",
                                           "modules_to_not_convert",
                                           "ignored_layers",
                                           "ignore",
                                           "exclude_modules",
                                           "fmt",
                                           "scale_fmt",
                                           "activation_scale_ub",
                                           "is_checkpoint_fp8_serialized",
                                           "config_groups",
                                           "format",
                                           "global_compression_ratio",
                                           "quantization_status",
                                           "kv_cache_scheme",
                                           "kv_cache_quant_algo",
                                           "quant_algo",
                                           "group_size",
                                           "quantized_layers",
                                           "producer",
                                           "version",
                                           "sparsity_config",
                                           "transform_config",
                                           "bits",
                                           "w_bit",
                                           "q_group_size",
                                           "zero_point",
                                           "desc_act",
                                           "sym",
                                           "static_groups",
                                           "true_sequential",
                                           "damp_percent",
                                           "damp_auto_increment",
                                           "dataset",
                                           "model_name_or_path",
                                           "model_file_base_name",
                                           "lm_head",
                                           "modules_in_block_to_quantize",
                                           "dynamic",
                                           "checkpoint_format",
                                           "meta",
                                           "tokenizer",
                                           "model_seqlen",
                                           "batch_size",
                                           "block_name_to_quantize",
                                           "module_name_preceding_first_block",
                                           "use_cuda_fp16",
                                           "use_exllama",
                                           "disable_exllama",
                                           "exllama_config",
                                           "max_input_length",
                                           "cache_block_outputs",
                                           "pad_token_id",
                                           "backend",
                                           "do_fuse",
                                           "fuse_max_seq_len",
                                           "modules_to_fuse",
                                           "load_in_4bit",
                                           "load_in_8bit",
                                           "_load_in_4bit",
                                           "_load_in_8bit",
                                           "bnb_4bit_compute_dtype",
                                           "bnb_4bit_quant_type",
                                           "bnb_4bit_quant_storage",
                                           "bnb_4bit_use_double_quant",
                                           "llm_int8_skip_modules",
                                           "llm_int8_threshold",
                                           "llm_int8_enable_fp32_cpu_offload",
                                           "llm_int8_has_fp16_weight",
                                           "dequantize",
                                           "has_zero_point",
                                           "pre_quant_scale"};

}  // namespace

bool is_quantisation_key(std::string_view key) {
  return std::find(std::begin(kKnownKeys), std::end(kKnownKeys), key) != std::end(kKnownKeys);
}

}  // namespace rehearse
