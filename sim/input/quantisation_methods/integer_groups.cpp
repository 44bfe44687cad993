// GPTQ and AWQ: integers in groups of inputs, each with an fp16 scale and a zero point of as many
// bits as the weights. Bytes: the layers' buffers in vLLM. The number of bits stands in every
// checkpoint; transformers' configurations have a usual group.
#include <fmt/format.h>

#include <string>

#include "input/quantisation_methods/methods.hpp"

namespace rehearse {
namespace {

using Dtype = proto::Model;

proto::Storage integer_groups(MethodReader& reader, const std::string& bits_key,
                              const std::string& group_key) {
  constexpr int kFour = 4;
  constexpr int kEight = 8;
  const JsonObject& statement = reader.statement();
  const int bits = statement.integer_or(0, bits_key);
  if (bits != kFour && bits != kEight) {
    statement.refuse(bits_key, "weights of 4 and of 8 bits are modelled, no others");
  }
  proto::Storage storage =
      storage_of(bits == kFour ? Dtype::int4 : Dtype::int8, reader.activations());
  constexpr double kScale = 2;
  int group = 128;
  if (statement.find(group_key) != nullptr) {
    group = group_size(statement, group_key);
  } else {
    reader.note_default(statement, group_key, std::to_string(group), "transformers");
  }
  set_groups(storage, group, kScale + bits / 8.0);
  return storage;
}

// transformers' name of a key, or AutoAWQ's own.
std::string key_of(const JsonObject& statement, const char* name, const char* own_name) {
  const nlohmann::json* const value = statement.find(name);
  const nlohmann::json* const own_value = statement.find(own_name);
  if (value != nullptr && own_value != nullptr && *value != *own_value) {
    statement.refuse(own_name, fmt::format("{} = {}: the two must agree", name, value->dump()));
  }
  return value == nullptr && own_value != nullptr ? own_name : name;
}

void refuse_unless_empty(const JsonObject& statement, const std::string& key) {
  const nlohmann::json* value = statement.find(key);
  if (value == nullptr || (value->is_structured() && value->empty())) return;
  statement.refuse(key, "quantising some modules in their own way is not modelled for gptq");
}

}  // namespace

// Beside the groups, which of them every input is in, in int32.
QuantisationMethod read_gptq(MethodReader& reader) {
  refuse_unless_empty(reader.statement(), "modules_in_block_to_quantize");
  refuse_unless_empty(reader.statement(), "dynamic");
  proto::Storage storage = integer_groups(reader, "bits", "group_size");
  constexpr double kGroupIndex = 4;
  storage.set_bytes_per_input(kGroupIndex);
  if (reader.statement().boolean_or(false, "lm_head")) {
    reader.method().of_part[proto::Storage::lm_head] = 0;
  }
  return reader.finish(storage, {"modules_to_not_convert"});
}

QuantisationMethod read_awq(MethodReader& reader) {
  const std::string bits = key_of(reader.statement(), "bits", "w_bit");
  const std::string group = key_of(reader.statement(), "group_size", "q_group_size");
  return reader.finish(integer_groups(reader, bits, group), {"modules_to_not_convert"});
}

}  // namespace rehearse
