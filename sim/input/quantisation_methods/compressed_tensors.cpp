// compressed-tensors: config_groups, each of which says how the modules that it targets are stored:
// a type, and a strategy, which is what a scale is for. Bytes: the index files of its checkpoints.
#include <fmt/format.h>

#include <string>

#include "input/quantisation_methods/methods.hpp"

namespace rehearse {
namespace {

using nlohmann::json;
using Dtype = proto::Model;

constexpr const char* kLibrary = "compressed-tensors";

proto::Model::Dtype type_of(const JsonObject& numbers) {
  const int bits = numbers.integer_or(0, "num_bits");
  const std::string type = numbers.string_or("", "type");
  constexpr int kFour = 4;
  constexpr int kEight = 8;
  if (type != "int" && type != "float") numbers.refuse("type", "expected \"int\" or \"float\"");
  const bool whole = type == "int";
  if (bits == kEight) return whole ? Dtype::int8 : Dtype::fp8;
  if (bits == kFour) return whole ? Dtype::int4 : Dtype::fp4;
  numbers.refuse("num_bits", "numbers of 4 and of 8 bits are modelled, no others");
}

// 8-bit scales of 4-bit floats, else in the activations' dtype; of integers with a zero point.
double scale_bytes_of(const JsonObject& weights, proto::Model::Dtype dtype, MethodReader& reader) {
  const bool symmetric = weights.boolean_or(true, "symmetric");
  if (dtype == Dtype::fp4) return 1;
  if (weights.find("symmetric") == nullptr) {
    reader.note_default(weights, "symmetric", "true", kLibrary);
  }
  constexpr double kScale = 2;
  const double zero_point = dtype == Dtype::int4 ? 0.5 : 1;
  return symmetric ? kScale : kScale + zero_point;
}

// Where it is not said, the library goes by the groups: QuantizationArgs in its quant_args.py.
std::string strategy_of(const JsonObject& weights, MethodReader& reader) {
  if (weights.find("strategy") != nullptr) return weights.string_or("", "strategy");
  const bool grouped = weights.find("group_size") != nullptr;
  const char* const strategy = !grouped                                 ? "tensor"
                               : group_size(weights, "group_size") == 0 ? "channel"
                                                                        : "group";
  reader.note_default(weights, "strategy", fmt::format("\"{}\"", strategy), kLibrary);
  return strategy;
}

void set_scales(const JsonObject& weights, double scale, const std::string& strategy,
                proto::Storage& storage) {
  if (strategy == "group" || strategy == "tensor_group") {
    set_groups(storage, group_size(weights, "group_size"), scale);
  } else if (strategy == "channel") {
    set_groups(storage, 0, scale);
  } else if (strategy == "block") {
    if (weights.find("block_structure") == nullptr) {
      weights.refuse("block_structure", "strategy \"block\" needs it");
    }
    set_block(weights, "block_structure", scale, storage);
  } else if (strategy != "tensor") {
    weights.refuse("strategy",
                   "expected \"tensor\", \"channel\", \"group\", \"tensor_group\" or \"block\"");
  }
}

proto::Storage scheme_of(const JsonObject& group, MethodReader& reader) {
  const JsonObject weights = group.object("weights");
  const proto::Model::Dtype dtype = type_of(weights);
  const bool weight_only = group.find("input_activations") == nullptr;
  proto::Storage storage = storage_of(
      dtype, weight_only ? reader.activations() : type_of(group.object("input_activations")));
  const std::string strategy = strategy_of(weights, reader);
  set_scales(weights, scale_bytes_of(weights, dtype, reader), strategy, storage);
  // The shape of packed integers (two int64); else a scale of the whole matrix.
  constexpr double kShape = 16;
  constexpr double kWholeScale = 4;
  if (dtype == Dtype::int4) {
    storage.set_bytes_per_matrix(kShape);
  } else if (strategy.starts_with("tensor")) {
    storage.set_bytes_per_matrix(kWholeScale);
  }
  const bool whole = dtype == Dtype::fp8 && strategy == "tensor" && !weight_only;
  // Where it is not said, the library takes a scale to be stored: QuantizationArgs.dynamic is
  // false.
  if (whole && !group.object("input_activations").boolean_or(false, "dynamic")) {
    storage.set_static_scales(true);
  }
  return storage;
}

void add_group(const JsonObject& group, MethodReader& reader) {
  QuantisationMethod& method = reader.method();
  const int scheme = static_cast<int>(method.schemes.size());
  method.schemes.push_back(scheme_of(group, reader));
  if (group.find("targets") == nullptr) {
    group.refuse("targets", "nothing says which modules the group is for");
  }
  const auto use = [&](proto::Storage::Part part) {
    if (method.of_part[part] == kPlain) method.of_part[part] = scheme;
  };
  for (const std::string& target : modules_of(group, "targets")) {
    if (target != "Linear") {
      method.targets.add(target, scheme, group.at("targets"));
      continue;
    }
    for (const proto::Storage::Part part : kLayerParts) use(part);
    use(proto::Storage::router);
    use(proto::Storage::lm_head);
  }
}

}  // namespace

QuantisationMethod read_compressed_tensors(MethodReader& reader) {
  const JsonObject& statement = reader.statement();
  const json* sparsity = statement.find("sparsity_config");
  if (sparsity != nullptr && !sparsity->empty() &&
      statement.object("sparsity_config").string_or("", "format") != "dense") {
    statement.object("sparsity_config")
        .refuse("format", "sparse weights are not modelled, only \"dense\"");
  }
  const JsonObject groups = statement.object("config_groups");
  for (const auto& [name, group] : groups.value().items()) {
    if (!group.is_object()) groups.refuse(name, "expected an object");
    add_group(groups.object(name), reader);
  }
  return reader.finish({"ignore"});
}

}  // namespace rehearse
