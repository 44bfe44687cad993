// compressed-tensors: config_groups, each of which says how the modules that it targets are stored:
// a type, and a strategy, which is what a scale is for. Bytes: the index files of its checkpoints.
#include "input/quantisation_methods/methods.hpp"

namespace rehearse {
namespace {

using nlohmann::json;
using Dtype = proto::Model;

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
double scale_bytes_of(const JsonObject& weights, proto::Model::Dtype dtype) {
  const bool symmetric = weights.boolean_or(true, "symmetric");
  if (dtype == Dtype::fp4) return 1;
  constexpr double kScale = 2;
  const double zero_point = dtype == Dtype::int4 ? 0.5 : 1;
  return symmetric ? kScale : kScale + zero_point;
}

void set_scales(const JsonObject& weights, proto::Model::Dtype dtype, const std::string& strategy,
                proto::Storage& storage) {
  const double scale = scale_bytes_of(weights, dtype);
  if (strategy == "group" || strategy == "tensor_group") {
    const int usual = dtype == Dtype::fp4 ? 16 : 128;
    set_groups(storage, group_size(weights, "group_size", usual), scale);
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

proto::Storage scheme_of(const JsonObject& group, proto::Model::Dtype activations) {
  const JsonObject weights = group.object("weights");
  const proto::Model::Dtype dtype = type_of(weights);
  const bool weight_only = group.find("input_activations") == nullptr;
  proto::Storage storage =
      storage_of(dtype, weight_only ? activations : type_of(group.object("input_activations")));
  const std::string strategy = weights.string_or("tensor", "strategy");
  set_scales(weights, dtype, strategy, storage);
  // The shape of packed integers (two int64); else a scale of the whole matrix.
  constexpr double kShape = 16;
  constexpr double kWholeScale = 4;
  if (dtype == Dtype::int4) {
    storage.set_bytes_per_matrix(kShape);
  } else if (strategy.starts_with("tensor")) {
    storage.set_bytes_per_matrix(kWholeScale);
  }
  return storage;
}

void add_group(const JsonObject& group, proto::Model::Dtype activations,
               QuantisationMethod& method) {
  const int scheme = static_cast<int>(method.schemes.size());
  method.schemes.push_back(scheme_of(group, activations));
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
      sparsity->value("format", json("dense")) != json("dense")) {
    statement.refuse("sparsity_config", "sparse weights are not modelled, only \"dense\"");
  }
  const JsonObject groups = statement.object("config_groups");
  for (const auto& [name, group] : groups.value().items()) {
    if (!group.is_object()) groups.refuse(name, "expected an object");
    add_group(groups.object(name), reader.activations(), reader.method());
  }
  return reader.finish({"ignore"});
}

}  // namespace rehearse
