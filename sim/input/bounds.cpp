#include "input/bounds.hpp"

#include <fmt/format.h>
#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/limits.hpp"
#include "input/textproto.hpp"
#include "plan/layout_fields.hpp"
#include "traffic/generate.hpp"

namespace rehearse {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

constexpr double kLargestFraction = 1e12;  // ratios, exponents, factors
constexpr double kMostPredictions = 64;
constexpr double kMostNorms = 64;
constexpr double kMostStreams = 64;
constexpr double kMostParameters = 1e15;
constexpr double kMostDrafts =
    16;  // of a pass: accepted at 0.9 each, the last counts in 0.9^16 = 19 %
constexpr double kAnySeed = 18446744073709551615.0;  // of 64 bits

// But for those of the layout fields and of engines.
constexpr Bound kPlan[] = {
    {"layout.layers_per_stage", 1, kMostLayers},
    {"layout.dense_data", 1, kMostGpus},
    {"batch.sequences", 1, kMostSequences},
    {"batch.prompt_tokens", 1, kMostTokens},
    {"batch.output_tokens", 1, kMostTokens},
    {"serve.replicas", 1, kMostGpus},
    {"serve.pools.prefill.replicas", 1, kMostGpus},
    {"serve.pools.decode.replicas", 1, kMostGpus},
    {"serve.traffic.requests", 1, kMostGenerated},
    {"serve.traffic.concurrency", 1, kMostGenerated},
    {"serve.traffic.prompt.tokens", 1, kMostTokens},
    {"serve.traffic.output.tokens", 1, kMostTokens},
    {"serve.traffic.prefix.tokens", 1, kMostTokens},
    {"serve.traffic.prefix.groups", 1, kMostGenerated},
    {"serve.traffic.turns", 1, kMostGenerated},
    {"collectives.channels", 1, kMostChannels},
    {"routing.drift_iterations", 0, kMostIterations},
    {"capacity.adapt_every", 1, kMostIterations},
    {"placement.redundant_experts", 0, kLargestWidth},  // up to experts x (ranks - 1)
    {"placement.rebalance_every", 0, kMostIterations},
    {"seed", 0, kAnySeed},
    // Fractions whose powers and products would not be finite; what they must be at least is said
    // by those who use them.
    {"batch.lengths.variation", -kLargestFraction, 1000},
    {"routing.exponent", -kLargestFraction, 1000},
    {"routing.range", -kLargestFraction, 1e9},
    {"capacity.factor", -kLargestFraction, kMostExperts},
    {"capacity.min_factor", -kLargestFraction, kMostExperts},
    {"capacity.max_factor", -kLargestFraction, kMostExperts},
};

// Of serve.engine and of the engine of a pool.
constexpr Bound kEngine[] = {
    {"max_sequences", 1, kMostSequences},   {"max_tokens_per_pass", 1, kMostTokens},
    {"max_model_len", 1, kMostTokens},      {"block_tokens", 1, kMostTokens},
    {"kv_blocks", 1, kMostTokens},  // where a block is a token
    {"speculative.tokens", 1, kMostDrafts},
};

constexpr Bound kModel[] = {
    {"layers", 1, kMostLayers},
    {"hidden", 1, kLargestWidth},
    {"vocab", 1, kLargestWidth},
    {"attention.heads", 1, kMostHeads},
    {"attention.kv_heads", 1, kMostHeads},
    {"attention.head_dim", 1, kMostHeads},
    {"attention.value_dim", 1, kMostHeads},
    {"attention.window", 1, kMostTokens},
    {"attention.chunk", 1, kMostTokens},
    {"attention.latent.query_rank", 1, kLargestWidth},
    {"attention.latent.kv_rank", 1, kLargestWidth},
    {"attention.latent.nope_dim", 1, kMostHeads},
    {"attention.latent.rope_dim", 0, kMostHeads},
    {"attention.latent.value_dim", 1, kMostHeads},
    {"attention.indexer.heads", 1, kMostHeads},
    {"attention.indexer.head_dim", 1, kMostHeads},
    {"attention.indexer.top_k", 1, kMostTokens},
    {"attention.compressed.indexer.heads", 1, kMostHeads},
    {"attention.compressed.indexer.head_dim", 1, kMostHeads},
    {"attention.compressed.indexer.top_k", 1, kMostTokens},
    {"attention.compressed.query_rank", 1, kLargestWidth},
    {"attention.compressed.rope_dim", 0, kMostHeads},
    {"attention.compressed.ratio", 0, kMostTokens},
    {"attention.compressed.output_rank", 1, kLargestWidth},
    {"attention.compressed.output_groups", 1, kMostHeads},
    {"attention.block_sparse.index_heads", 1, kMostHeads},
    {"attention.block_sparse.index_dim", 1, kMostHeads},
    {"attention.block_sparse.block", 1, kMostTokens},
    {"attention.block_sparse.blocks", 1, kMostTokens},
    {"attention.gated_delta.key_heads", 1, kMostHeads},
    {"attention.gated_delta.value_heads", 1, kMostHeads},
    {"attention.gated_delta.key_dim", 1, kMostHeads},
    {"attention.gated_delta.value_dim", 1, kMostHeads},
    {"attention.gated_delta.convolution", 1, kMostHeads},
    {"attention.kimi_delta.heads", 1, kMostHeads},
    {"attention.kimi_delta.head_dim", 1, kMostHeads},
    {"attention.kimi_delta.convolution", 1, kMostHeads},
    {"attention.lightning.block", 1, kMostTokens},
    {"attention.mamba2.heads", 1, kMostHeads},
    {"attention.mamba2.head_dim", 1, kMostHeads},
    {"attention.mamba2.groups", 1, kMostHeads},
    {"attention.mamba2.state", 1, kMostHeads},
    {"attention.mamba2.convolution", 1, kMostHeads},
    {"attention.mamba2.chunk", 1, kMostTokens},
    {"attention.mamba.inner", 1, kLargestWidth},
    {"attention.mamba.state", 1, kMostHeads},
    {"attention.mamba.convolution", 1, kMostHeads},
    {"attention.mamba.rank", 1, kLargestWidth},
    {"dense.width", 1, kLargestWidth},
    {"moe.experts", 1, kMostExperts},
    {"moe.top_k", 1, kMostExperts},
    {"moe.expert.width", 1, kLargestWidth},
    {"moe.shared_experts", 0, kMostExperts},
    {"moe.shared.width", 1, kLargestWidth},
    {"moe.first_dense_layers", 0, kMostLayers},
    {"moe.groups", 1, kMostExperts},
    {"moe.top_groups", 1, kMostExperts},
    {"moe.latent", 1, kLargestWidth},
    {"moe.zero_experts", 0, kMostExperts},
    {"moe.hashed_layers", 0, kMostLayers},
    {"pattern.times", 1, kMostLayers},
    {"pattern.layer.count", 1, kMostLayers},
    {"prediction.layers", 1, kMostPredictions},
    {"norms_per_layer", 1, kMostNorms},
    {"residual_streams", 1, kMostStreams},
    // Fractions; whoever reads them says that they are not negative.
    {"extra.parameters", -kMostParameters, kMostParameters},
    {"tower.parameters", -kMostParameters, kMostParameters},
    {"longest_context", 1, kMostTokens},
    {"prediction.layer.count", 1, 1},
    {"storage.first_layer", 0, kMostLayers},
    {"storage.last_layer", 0, kMostLayers},
    {"storage.block_outputs", 1, kLargestWidth},
    {"storage.block_inputs", 1, kLargestWidth},
};

bool is_fraction(const FieldDescriptor& field) {
  return field.cpp_type() == FieldDescriptor::CPPTYPE_DOUBLE ||
         field.cpp_type() == FieldDescriptor::CPPTYPE_FLOAT;
}

// Of a number; `index`: in a list, -1: the field is none.
std::optional<double> value_of(const Message& message, const FieldDescriptor* field, int index) {
  const auto& reflection = *message.GetReflection();
  const auto get = [&](auto single, auto repeated) {
    return static_cast<double>(index < 0 ? (reflection.*single)(message, field)
                                         : (reflection.*repeated)(message, field, index));
  };
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return get(&Reflection::GetInt32, &Reflection::GetRepeatedInt32);
    case FieldDescriptor::CPPTYPE_INT64:
      return get(&Reflection::GetInt64, &Reflection::GetRepeatedInt64);
    case FieldDescriptor::CPPTYPE_UINT32:
      return get(&Reflection::GetUInt32, &Reflection::GetRepeatedUInt32);
    case FieldDescriptor::CPPTYPE_UINT64:
      return get(&Reflection::GetUInt64, &Reflection::GetRepeatedUInt64);
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return get(&Reflection::GetDouble, &Reflection::GetRepeatedDouble);
    case FieldDescriptor::CPPTYPE_FLOAT:
      return get(&Reflection::GetFloat, &Reflection::GetRepeatedFloat);
    default:
      return std::nullopt;
  }
}

class Check {
 public:
  Check(std::span<const Bound> bounds, const FieldLocations& where)
      : bounds_(bounds), where_(where) {}

  // Of one integer that is in no list.
  void run(double value, const std::string& path) const {
    const Bound* const bound = find(path);
    refuse_outside(value, bound != nullptr ? *bound : Bound{path, 0, kLargestWidth}, path);
  }

  // `path` and `shown`: of the message, the one without the indices of lists.
  void run(const Message& message, const std::string& path, const std::string& shown) const {
    const auto& reflection = *message.GetReflection();
    std::vector<const FieldDescriptor*> fields;
    reflection.ListFields(message, &fields);
    for (const FieldDescriptor* field : fields) {
      const bool repeated = field->is_repeated();
      const int count = repeated ? reflection.FieldSize(message, field) : 1;
      const std::string name = path + field->name();
      for (int i = 0; i < count; ++i) {
        const bool only = is_kind_of_layers(*field) && count == 1;
        const std::string index = repeated && !only ? fmt::format("[{}]", i) : "";
        check(message, field, repeated ? i : -1, name,
              fmt::format("{}{}{}", shown, field->name(), index));
      }
    }
  }

 private:
  void check(const Message& message, const FieldDescriptor* field, int index,
             const std::string& path, const std::string& shown) const {
    const auto& reflection = *message.GetReflection();
    if (field->message_type() != nullptr) {
      return run(index < 0 ? reflection.GetMessage(message, field)
                           : reflection.GetRepeatedMessage(message, field, index),
                 path + ".", shown + ".");
    }
    const auto value = value_of(message, field, index);
    if (!value) return;
    const Bound* const bound = find(path);
    const Bound otherwise = is_fraction(*field) ? Bound{path, -kLargestFraction, kLargestFraction}
                                                : Bound{path, 0, kLargestWidth};
    refuse_outside(*value, bound != nullptr ? *bound : otherwise, shown);
  }

  const Bound* find(const std::string& path) const {
    const auto bound = std::find_if(bounds_.begin(), bounds_.end(),
                                    [&](const Bound& each) { return each.path == path; });
    return bound == bounds_.end() ? nullptr : &*bound;
  }

  void refuse_outside(double value, const Bound& bound, const std::string& shown) const {
    if (value >= bound.least && value <= bound.most) return;
    if (std::isnan(value)) {
      throw InputError(where_.at(shown), fmt::format("{} = nan: must be a number", shown));
    }
    const bool low = value < bound.least;
    throw InputError(where_.at(shown),
                     fmt::format("{} = {}: must be at {} {}", shown, value, low ? "least" : "most",
                                 low ? bound.least : bound.most));
  }

  std::span<const Bound> bounds_;
  const FieldLocations& where_;
};

// A bound's path is a view: those that are put together are kept beside.
struct PlanBounds {
  std::deque<std::string> paths = {};
  std::vector<Bound> all = {};

  void add(std::string path, double least, double most) {
    all.push_back({paths.emplace_back(std::move(path)), least, most});
  }
};

PlanBounds all_plan_bounds() {
  PlanBounds bounds;
  bounds.all.assign(std::begin(kPlan), std::end(kPlan));
  for (const LayoutField& each : kLayoutFields) {
    const bool of_service = each.path.starts_with("serve.");  // which is above, and below
    if (!each.is_switch() && !of_service)
      bounds.all.push_back({each.path, 1.0 * each.least, 1.0 * each.most});
  }
  const std::vector<Bound> of_plan = bounds.all;
  for (const char* const pool : {"serve.pools.prefill.", "serve.pools.decode."}) {
    for (const Bound& each : of_plan) {
      if (!each.path.starts_with("layout.")) continue;
      bounds.add(fmt::format("{}{}", pool, each.path), each.least, each.most);
    }
  }
  for (const char* const part : {"serve.", "serve.pools.prefill.", "serve.pools.decode."}) {
    for (const Bound& each : kEngine) {
      bounds.add(fmt::format("{}engine.{}", part, each.path), each.least, each.most);
    }
  }
  return bounds;
}

}  // namespace

std::span<const Bound> plan_bounds() {
  static const PlanBounds kAll = all_plan_bounds();
  return kAll.all;
}
std::span<const Bound> model_bounds() { return kModel; }

void check_bound(double value, const std::string& field, std::span<const Bound> bounds,
                 const FieldLocations& where) {
  Check(bounds, where).run(value, field);
}

void check_bounds(const Message& message, std::span<const Bound> bounds,
                  const FieldLocations& where) {
  Check(bounds, where).run(message, "", "");
}

}  // namespace rehearse
